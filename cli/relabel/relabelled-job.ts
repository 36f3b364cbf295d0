import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { IdSum } from '../../shared/contract/id-sum.ts';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import { type JobRun, newRun, runField } from '../../shared/contract/job-run.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { orderKey, type PartKind, partKey } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { thisMachine } from '../../shared/contract/worker-time.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { readJob, writeJob, writeNewestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { latestParts, type Part } from '../../shared/jobs/list-parts.ts';
import { NoSuchJobError } from '../../shared/jobs/outcomes/outcome-errors.ts';
import { hasFiles, purgeJob } from '../../shared/jobs/purge-job.ts';
import { readObject } from '../../shared/jobs/read-object.ts';
import { partLines } from '../../shared/jobs/read-outcomes.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import { orderKeys } from '../../shared/jobs/source-order.ts';
import { commandName } from '../command-name.ts';
import { counted } from '../counted.ts';
import { CommandError } from '../expected-failures.ts';
import { interruptible } from '../interruption.ts';
import { targetFromEnvironment } from '../job-target.ts';
import { startProgress } from '../progress.ts';
import { printNote } from '../terminal.ts';
import type { LineRelabeler } from './line-relabeler.ts';

/** Part files in memory at once, each of some megabytes. */
const PARTS_AT_ONCE = 4;

export type Relabelling = {
  job: string;
  newJob: string;
  relabeler: LineRelabeler;
  /** Called when all is read; throws when nothing can be made of it. */
  checkRead: () => void;
};

/**
 * Writes the new results of a job as another job: its part files, the failures as they were, its description and the order of
 * its images. Whatever works on jobs works on it.
 *
 * @throws {CommandError} when there is a job of that name
 * @throws {NoSuchJobError}
 */
export async function writeRelabelledJob(relabelling: Relabelling): Promise<void> {
  const { job, newJob } = relabelling;
  const target = targetFromEnvironment();
  interruptible(() => `interrupted: ${newJob} is not complete; \`${commandName()} purge ${newJob}\` removes it`);
  if (await hasFiles(target, newJob)) {
    throw new CommandError(`the job ${newJob} exists already: choose another name, or purge it`);
  }
  const earlier = await readJob(target, job);
  const from: JobRun = { job, ...runField(earlier?.run) };
  const total = await linesOf(target, from);
  if (earlier === undefined && total === 0) throw new NoSuchJobError(target, job);
  const to = { job: newJob, run: newRun() };
  const describe = descriptionsOf(to, `relabel ${job}`, earlier?.perMessage);
  using copied = new CopiedImages();
  try {
    await writeJob(target, describe('enqueuing', copied));
    await writeNewestRun(target, to);
    await copyParts(target, { from, to }, relabelling, copied, total);
    await copyOrder(target, from, to);
    await writeJob(target, describe('enqueued', copied));
  } catch (error) {
    // Half a job under the name would be in the way of the next try.
    await purgeJob(target, newJob).catch(() => undefined);
    throw error;
  }
  printNote(
    `${counted(copied.images, 'image')} in the job ${newJob}; \`${commandName()} results ${newJob}\` writes them\n`,
  );
}

async function linesOf(target: JobTarget, of: JobRun): Promise<number> {
  const kinds = await Promise.all((['results', 'failures'] as const).map((kind) => sampledLines(target, kind, of)));
  return kinds.reduce((sum, { lines }) => sum + lines, 0);
}

type NewRun = { job: string; run: string };

/** What `job.json` says of the job, by how far it is. */
function descriptionsOf(to: NewRun, source: string, perMessage = DEFAULT_IMAGES_PER_MESSAGE) {
  const startedAt = new Date().toISOString();
  return (state: JobDescription['state'], { images, idSum }: CopiedImages): JobDescription => ({
    v: 1,
    ...to,
    state,
    source,
    sourceDigest: '',
    perMessage,
    images,
    sent: images,
    messages: 0,
    ...(state === 'enqueued' && { idSum }),
    startedAt,
    updatedAt: new Date().toISOString(),
  });
}

type Line = ResultLine | FailureLine;

async function copyParts(
  target: JobTarget,
  { from, to }: { from: JobRun; to: NewRun },
  { relabeler, checkRead }: Relabelling,
  copied: CopiedImages,
  total: number,
): Promise<void> {
  const progress = startProgress('relabelled', total);
  let done = 0;
  const copy = async (kind: PartKind, read: (part: Part) => Promise<Line[]>) => {
    const copyPart = async (part: Part) => {
      const lines = (await read(part)).map((line) => ({ ...line, ...to }));
      copied.add(lines);
      await writePart(target, kind, to, lines);
      done += part.lines;
      progress.update(Math.min(done, total));
    };
    await pMap(latestParts(target, kind, from), copyPart, { concurrency: PARTS_AT_ONCE });
  };
  try {
    await copy('results', async ({ key }) => relabeler.relabel(await readObject(target.s3, target.resultsBucket, key)));
    checkRead();
    await copy('failures', ({ key }) => Array.fromAsync(partLines<FailureLine>(target, key)));
  } finally {
    progress.stop();
  }
}

/** The images that have an outcome, each counted once. */
class CopiedImages implements Disposable {
  readonly #ids = new IdSet();
  readonly #sum = new IdSum();
  add(lines: readonly { id: string }[]): void {
    for (const { id } of lines) if (this.#ids.add(id)) this.#sum.add(id);
  }

  get images(): number {
    return this.#ids.size;
  }

  get idSum(): string {
    return this.#sum.toString();
  }

  [Symbol.dispose](): void {
    this.#ids[Symbol.dispose]();
  }
}

async function writePart(
  { s3, resultsBucket }: JobTarget,
  kind: PartKind,
  to: JobRun,
  lines: readonly (ResultLine | FailureLine)[],
): Promise<void> {
  if (lines.length === 0) return;
  // No worker was at work for it.
  const time = { ...thisMachine({}, process.arch), milliseconds: 0 };
  await s3.send(
    new PutObjectCommand({
      Bucket: resultsBucket,
      Key: partKey(kind, to, lines, time),
      Body: `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
      ContentType: 'application/x-ndjson',
    }),
  );
}

async function copyOrder(target: JobTarget, from: JobRun, to: JobRun): Promise<void> {
  const { s3, resultsBucket: Bucket } = target;
  for (const [file, key] of (await orderKeys(target, from)).sort().entries()) {
    const CopySource = encodeURI(`${Bucket}/${key}`);
    await s3.send(new CopyObjectCommand({ Bucket, Key: orderKey(to, file), CopySource }));
  }
}
