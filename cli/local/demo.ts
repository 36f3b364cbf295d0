import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalService } from '../../local/local-service.ts';
import { startSampleServer } from '../../local/sample-server.ts';
import { openWorkerLog } from '../../local/worker-log.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';
import { validImages } from '../../shared/jobs/preflight.ts';
import { type Outcomes, readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { ofFile } from '../../shared/runtime/file-failure.ts';
import { makeFolder } from '../../shared/runtime/make-folder.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { exporterOf } from '../dashboard/dashboard-export.ts';
import { readSource, type SourceFile } from '../enqueue/sources/read-source.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import { SAMPLES } from '../project-folder.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError, failureText } from '../terminal/user-errors.ts';
import { demoTable } from './demo-table.ts';

const JOB = 'demo';
/** One image per message, so that several workers have messages: each takes up to ten at once. */
const IMAGES_PER_MESSAGE = 1;
/** Short, because the samples include a server that is never available. */
const RETRY_BASE_SECONDS = '0.5';
const POLL_MS = 200;
/** Much longer than the retries take. */
const GIVE_UP_MS = 180_000;

/** Starts everything that the demo needs, labels the sample photos and prints the outcomes. */
export async function runDemo({ stateDir, ...model }: ModelOptions & { stateDir: string }): Promise<void> {
  const folder = join(stateDir, 'demo');
  interruptible(() => `interrupted; to run the demo again: ${rerunCommand()}`);
  await rm(folder, { recursive: true, force: true });
  makeFolder(folder);
  using log = openWorkerLog(join(folder, 'workers.log'), (text) => printNote(`${text}\n`));
  const samples = await startSampleServer(SAMPLES);
  printNote('starting SQS, S3 and the workers on this machine …\n');
  const { startLocalService } = await import('../../local/local-service.ts');
  const service = await startLocalService({
    port: 0,
    dataDir: join(folder, 'aws'),
    workers: availableParallelism(),
    workerEnvironment: { ...modelEnvironment(model), ALLOWED_HOSTS: samples.baseUrl.host, RETRY_BASE_SECONDS },
    apiPort: 0,
    dashboard: {
      version: packageJson.version,
      allowsChanges: false,
      exporterOf,
      onUnexpectedError: (error) => printNote(`dashboard: ${failureText(error)}\n`),
    },
    onLog: (text) => log.write(text),
    onFunctionError: (error) => printNote(`worker: ${error.message}\n`),
  });
  printNote(`watch the queue meanwhile: ${service.apiAddress}/\n`);
  try {
    await labelSamples(service, samples.baseUrl, folder);
  } finally {
    await service.stop();
    await samples.close();
  }
}

async function labelSamples({ aws, ended }: LocalService, baseUrl: URL, folder: string): Promise<void> {
  const target = createJobTarget(jobSettingsFrom(aws.environment), aws.clientConfig);
  const images = await Array.fromAsync(validImages(readSource(manifestAt(baseUrl))));
  const started = Date.now();
  const of = await enqueue(
    target,
    toAsync(images),
    newJob({
      job: JOB,
      source: 'manifest.jsonl',
      sourceDigest: '',
      perMessage: IMAGES_PER_MESSAGE,
      images: images.length,
    }),
  );
  await Promise.race([allSettled(target, of, images.length), ended()]);
  const outcomes = await readOutcomes(target, JOB);
  checkAllAccountedFor(images, outcomes);
  const resultsPath = await writeLines(join(folder, 'results.jsonl'), outcomes.results.values());
  const failuresPath = await writeLines(join(folder, 'failures.jsonl'), outcomes.failures.values());
  print(
    `${demoTable(images, outcomes)}\n${speedText(outcomes, started)}\n${failedText(outcomes)}` +
      `results   ${resultsPath}\nfailures  ${failuresPath}\n\n${whereToLook()}`,
  );
}

/** How to watch a queue that outlives the demo. */
function whereToLook(): string {
  const command = commandName();
  return (
    `to see a queue move: ${command} local, then open the address that it prints first;\n` +
    `in another terminal, ${command} bench gives it 5,000 images to work on\n`
  );
}

function manifestAt(base: URL): SourceFile {
  const columns = { urlColumn: undefined, idColumn: undefined, meta: false };
  return { path: join(SAMPLES, 'manifest.jsonl'), format: 'lines', columns, base };
}

async function* toAsync<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

async function allSettled(target: JobTarget, of: JobRun, total: number): Promise<void> {
  const progress = startProgress('labeled', total);
  const giveUpAt = Date.now() + GIVE_UP_MS;
  try {
    for (;;) {
      const classified = totalLines(await listParts(target, 'results', of));
      const failed = totalLines(await listParts(target, 'failures', of));
      const settled = classified + failed;
      progress.update(settled, settled < total ? `${failed} failed, some are being retried` : `${failed} failed`);
      if (settled >= total) return;
      if (Date.now() > giveUpAt) throw new CommandError(`expected ${total} outcomes, got ${settled}; see workers.log`);
      await delay(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

function checkAllAccountedFor(images: readonly ImageRef[], { results, failures }: Outcomes): void {
  const missing = images.filter(({ id }) => !results.has(id) && !failures.has(id));
  if (missing.length === 0) return;
  throw new CommandError(`expected an outcome for each image, got none for ${missing.map(({ id }) => id).join(', ')}`);
}

/** Retries wait on purpose, so the rate counts first attempts only. */
function speedText({ results, failures }: Outcomes, started: number): string {
  const lines = [...results.values(), ...failures.values()];
  const secondsUntilLast = (some: { at: string }[]) =>
    (Math.max(...some.map(({ at }) => Date.parse(at))) - started) / 1_000;
  const first = lines.filter(({ attempt }) => attempt === 1);
  const firstSeconds = secondsUntilLast(first);
  return (
    `${counted(first.length, 'image')} in ${firstSeconds.toFixed(1)} s (${Math.round(first.length / firstSeconds)} images/s), ` +
    `all ${lines.length} including retries in ${secondsUntilLast(lines).toFixed(1)} s`
  );
}

/** Explains that the failures are intended. */
function failedText({ failures }: Outcomes): string {
  if (failures.size === 0) return '';
  return `${failures.size} failed, as intended: the samples include URLs and files that cannot be classified\n`;
}

async function writeLines(path: string, lines: Iterable<object>): Promise<string> {
  await writeFile(path, [...lines].map((line) => `${JSON.stringify(line)}\n`).join('')).catch(ofFile(path));
  return relative(process.cwd(), path);
}
