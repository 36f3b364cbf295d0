import { randomBytes } from 'node:crypto';
import { type AnnouncerDependencies, announceEnd, type Verdict } from '../../functions/announce/announce-end.ts';
import { PartWriter } from '../../functions/classify/part-writer.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import { IdSum } from '../../shared/contract/id-sum.ts';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { JobEnd } from '../../shared/contract/job-end.ts';
import { failureLine, resultLine } from '../../shared/contract/result-line.ts';
import type { NamedRun } from '../../shared/jobs/end-look.ts';
import { writeJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';

type Bucket = Pick<JobTarget, 's3' | 'resultsBucket'>;

/** A run of the job `cats` that no other test has. */
export function anyRun(): NamedRun {
  return { job: 'cats', run: randomBytes(8).toString('hex') };
}

export function idsOf(images: number, name = 'image'): string[] {
  return Array.from({ length: images }, (_, index) => `${name}-${index}`);
}

/** Writes down that a producer has sent these images. */
export async function describeRun(
  bucket: Bucket,
  of: NamedRun,
  ids: readonly string[],
  more: Partial<JobDescription> = {},
): Promise<void> {
  const sum = new IdSum();
  for (const id of ids) sum.add(id);
  const at = new Date().toISOString();
  const images = ids.length;
  await writeJob(bucket, {
    ...{ v: 1, state: 'enqueued', source: 'cats.csv', sourceDigest: '', perMessage: 100, messages: 1 },
    ...{ ...of, images, sent: images, idSum: sum.toString(), startedAt: at, updatedAt: at },
    ...more,
  });
}

/** Writes outcomes as a worker does, a part file a call. */
export async function writeResults(bucket: Bucket, of: NamedRun, ids: readonly string[]): Promise<void> {
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const lines = ids.map((id) => resultLine(originOf(of, id), [], { name: 'stub', version: '1' }, facts));
  await write(bucket, 'results', of, lines);
}

export async function writeFailures(
  bucket: Bucket,
  of: NamedRun,
  ids: readonly string[],
  code: ErrorCode = 'not_found',
): Promise<void> {
  const error = new ImageFailure(code, 'expected status 200, got 404').report();
  await write(
    bucket,
    'failures',
    of,
    ids.map((id) => failureLine(originOf(of, id), error)),
  );
}

function originOf(of: NamedRun, id: string) {
  return { ...of, image: { id, url: `https://host.example/${id}` }, attempt: 1, at: new Date() };
}

async function write(bucket: Bucket, ...[kind, of, lines]: Parameters<PartWriter['write']>): Promise<void> {
  const machine = { host: 'lambda', architecture: 'x86_64', memoryMb: 1_769 } as const;
  const time = { take: () => ({ ...machine, milliseconds: 1_000 }), giveBack() {} };
  const parts = new PartWriter(bucket.s3, bucket.resultsBucket, { time });
  const written = parts.write(kind, of, lines);
  parts.flush();
  await written;
}

/** The announcer of ends, and what it has announced. */
export type TestAnnouncer = {
  look(of: NamedRun): Promise<Verdict>;
  /** What was written into the log, in order. */
  found: JobEnd[];
  /** What was sent to EventBridge, in order. */
  events: JobEnd[];
  /** What was sent to webhooks, in order. */
  webhooks: { url: string; end: JobEnd }[];
};

/** @param different what is not as it usually is; in place of `always` and `webhook`, which note what they get */
export function createAnnouncer(bucket: Bucket, different: Partial<AnnouncerDependencies> = {}): TestAnnouncer {
  const [found, events, webhooks]: [JobEnd[], JobEnd[], TestAnnouncer['webhooks']] = [[], [], []];
  const dependencies: AnnouncerDependencies = {
    bucket,
    counter: new OutcomeCounter(bucket),
    always: { log: async (end) => void found.push(end), eventBridge: async (end) => void events.push(end) },
    webhook: (url) => async (end) => void webhooks.push({ url, end }),
    log: { announced() {}, notAnnounced() {} },
    now: () => new Date(),
    ...different,
  };
  return {
    look: (of) => announceEnd(of, dependencies, AbortSignal.timeout(60_000)),
    found,
    events,
    webhooks,
  };
}

/** By the clock, `seconds` from now. */
export const later = (seconds: number) => () => new Date(Date.now() + seconds * 1_000);
