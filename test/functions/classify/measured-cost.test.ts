import { readFile } from 'node:fs/promises';
import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { JobGuard } from '../../../functions/classify/job-guard.ts';
import type { JobDescription } from '../../../shared/contract/job-description.ts';
import { LONGEST_GUARD_INTERVAL_MS } from '../../../shared/contract/limits.ts';
import { formatMessage, type ImageRef } from '../../../shared/contract/message.ts';
import { assumedUsd, costSoFar, onLambda } from '../../../shared/cost.ts';
import { readGuardRecord } from '../../../shared/jobs/guard-record.ts';
import { type JobStatus, jobStatus } from '../../../shared/jobs/job-status.ts';
import { writeJob } from '../../../shared/jobs/job-store.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { sqsRecord } from '../../../testkit/sqs-record.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import type { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { runCommand } from '../../support/command.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const RUN = { job: 'cats', run: '0'.repeat(16) };
const PER_MESSAGE = 100;
/** List prices per second of one MB, written out here: the test must not take them from the code. */
const USD_PER_MB_SECOND = 0.000_016_666_7 / 1_024;
/** The quarter of an instance with four vCPUs, with its address and its disk of 12 GB, per second. */
const usdPerVcpuSecond = (instanceHour: number) => (instanceHour + 0.005 + (12 * 0.08) / 730) / 4 / 3_600;

const [harness] = await sharedByTests(startHarness());
beforeAll(async () => {
  // Its start is billed to the job of its first message.
  await harness.worker.invoke({ Records: [sqsRecord(bodyOf([harness.good('first')]))] });
});
beforeEach(() => {
  harness.reset();
  harness.pictures.delayMs = 0;
});

async function describeJob(images: number, limits: Partial<JobDescription> = {}): Promise<void> {
  const at = new Date().toISOString();
  const numbers = { perMessage: PER_MESSAGE, images, sent: images, messages: Math.ceil(images / PER_MESSAGE) };
  await writeJob(harness.aws.target, {
    ...{ v: 1, state: 'enqueued', ...RUN, source: 'cats.txt', sourceDigest: '' },
    ...{ ...numbers, startedAt: at, updatedAt: at, ...limits },
  });
}

function goodImages(prefix: string): ImageRef[] {
  return Array.from({ length: PER_MESSAGE }, (_, index) => harness.good(`${prefix}-${index}`));
}

/** Seconds from the call to the answer, as Lambda bills them. */
async function invoke(worker: ExecutionEnvironment, images: ImageRef[]): Promise<number> {
  const from = performance.now();
  const body = formatMessage({ ...RUN, attempt: 1, images });
  const { batchItemFailures } = await worker.invoke({ Records: [sqsRecord(body)] });
  expect(batchItemFailures).toEqual([]);
  return (performance.now() - from) / 1_000;
}

async function status(): Promise<JobStatus> {
  return (await jobStatus(harness.aws.target, RUN.job, new Date())) as JobStatus;
}

function seconds({ computing }: JobStatus): number {
  return computing.workers.reduce((sum, each) => sum + each.seconds, 0);
}

function computingUsd(status: JobStatus): number {
  const settled = status.classified + status.failed;
  return status.costSoFarUsd - costSoFar(settled, PER_MESSAGE, onLambda(0)).totalUsd;
}

const MESSAGES_EACH = 3;

/** A worker, how slow its image servers are, and what a second of it costs. */
type Worker = { name: string; environment: Record<string, string>; delayMs: number; usdPerSecond: number };

function lambda(name: string, memoryMb: number, delayMs: number): Worker {
  const environment = { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb) };
  return { name, environment, delayMs, usdPerSecond: memoryMb * USD_PER_MB_SECOND };
}

function elsewhere(name: string, machine: string, delayMs: number, usdPerSecond: number): Worker {
  return { name, environment: { WORK_MACHINE: machine }, delayMs, usdPerSecond };
}

const THREE_SPEEDS = [lambda('fast', 3_538, 30), lambda('middling', 1_769, 100), lambda('slow', 1_536, 200)];
const EVERYWHERE = [
  lambda('on Lambda', 1_769, 100),
  elsewhere('on c7a', 'c7a.xlarge', 30, usdPerVcpuSecond(0.205_28)),
  elsewhere('on m7i', 'm7i.xlarge', 200, usdPerVcpuSecond(0.201_6)),
  elsewhere('at home', 'own', 150, 0),
];

/** What an invocation says of its own time, as Lambda's REPORT does: milliseconds. */
function billedIn(log: string): number {
  return log
    .split('\n')
    .filter((line) => line.includes('"message":"invocation"'))
    .map((line) => JSON.parse(line) as { ms: number; startMs?: number })
    .reduce((sum, { ms, startMs = 0 }) => sum + ms + startMs, 0);
}

/** Lets a worker do some messages of the job. @returns what AWS would bill for it, its start included */
async function billedUsd({ name, environment, delayMs, usdPerSecond }: Worker): Promise<number> {
  let log = '';
  const worker = await harness.startWorker({
    environment,
    onLog(text) {
      log += text;
    },
  });
  let seen = 0;
  try {
    harness.pictures.delayMs = delayMs;
    for (let message = 0; message < MESSAGES_EACH; message++)
      seen += await invoke(worker, goodImages(`${name.replaceAll(' ', '-')}-${message}`));
  } finally {
    await worker.shutDown();
  }
  await eventually('the lines of all invocations', () => log.split('"message":"invocation"').length > MESSAGES_EACH);
  // Its caller has waited for all of it.
  const start = JSON.parse(log.split('\n').find((line) => line.includes('"startMs"')) ?? '{}').startMs;
  expect(billedIn(log) - start).toBeLessThanOrEqual(seen * 1_000 + MESSAGES_EACH);
  return (billedIn(log) / 1_000) * usdPerSecond;
}

async function guardsFigure(): Promise<number | undefined> {
  const guard = new JobGuard({ bucket: harness.aws.target, now: () => Date.now() + LONGEST_GUARD_INTERVAL_MS });
  guard.settled(RUN, 1);
  await guard.finish(30_000);
  return (await readGuardRecord(harness.aws.target, RUN)).record?.computingUsd;
}

async function reportOf(job: string): Promise<string> {
  await using folder = await createTemporaryFolder();
  const path = `${folder.path}/report.html`;
  await runCommand(['report', job, '--out', path], { environment: harness.aws.environment });
  return readFile(path, 'utf8');
}

async function summaryOf(job: string) {
  await using folder = await createTemporaryFolder();
  const args = ['results', job, '--out', `${folder.path}/${job}.jsonl`, '--json'];
  const { stdout } = await runCommand(args, { environment: harness.aws.environment });
  return JSON.parse(stdout);
}

test('the cost of a job with workers of three speeds matches their time within 5 %, in status, results and guard', async () => {
  const images = THREE_SPEEDS.length * MESSAGES_EACH * PER_MESSAGE;
  await describeJob(images, { maxCostUsd: 1_000 });
  let billed = 0;
  for (const worker of THREE_SPEEDS) billed += await billedUsd(worker);
  const found = await status();
  expect(found).toMatchObject({ classified: images, computing: { measuredShare: 1 } });
  expect(found.computing.workers.map(({ memoryMb }) => memoryMb).toSorted()).toEqual([1_536, 1_769, 3_538]);
  expect(Math.abs(computingUsd(found) / billed - 1)).toBeLessThan(0.05);
  // It is none of the assumed processor.
  expect(Math.abs(assumedUsd(images) / billed - 1)).toBeGreaterThan(0.05);
  const summary = await summaryOf(RUN.job);
  expect(summary.cost.totalUsd).toBeCloseTo(found.costSoFarUsd, 12);
  expect(summary.computing).toEqual(found.computing);
  const guarded = (await guardsFigure()) ?? Number.NaN;
  expect(guarded / computingUsd(found)).toBeCloseTo(1, 9);
}, 120_000);

test('the cost of a job is that of Lambda for workers there, of their instances for a fleet, and nothing for own machines', async () => {
  const images = EVERYWHERE.length * MESSAGES_EACH * PER_MESSAGE;
  await describeJob(images, { maxCostUsd: 1_000 });
  let billed = 0;
  for (const worker of EVERYWHERE) billed += await billedUsd(worker);
  const found = await status();
  expect(found).toMatchObject({ classified: images, computing: { measuredShare: 1 } });
  const machines = found.computing.workers.map(({ host, instanceFamily }) => instanceFamily ?? host);
  expect(machines.toSorted()).toEqual(['c7a', 'lambda', 'm7i', 'own']);
  const summary = await summaryOf(RUN.job);
  const { lambdaUsd, fleetUsd, lambdaRequestsUsd, logsUsd } = summary.cost;
  expect(Math.abs((lambdaUsd + fleetUsd) / billed - 1)).toBeLessThan(0.05);
  // At Lambda's price for all of them it would be far off.
  const atLambdas = seconds(found) * 1_769 * USD_PER_MB_SECOND;
  expect(atLambdas / billed).toBeGreaterThan(1.5);
  const allOnLambda = costSoFar(images, PER_MESSAGE, onLambda(0));
  expect(lambdaRequestsUsd).toBeCloseTo(allOnLambda.lambdaRequestsUsd / 4, 12);
  expect(logsUsd).toBeCloseTo((allOnLambda.logsUsd * 3) / 4, 12);
  expect(summary.cost.totalUsd).toBeCloseTo(found.costSoFarUsd, 12);
  expect((await guardsFigure()) ?? Number.NaN).toBeCloseTo(lambdaUsd + fleetUsd, 12);
  const { stdout } = await runCommand(['status', RUN.job], { environment: harness.aws.environment });
  expect(stdout).toContain('of c7a on EC2 (assumed: on demand, without idle time)');
  expect(stdout).toMatch(/ s of own machines \(\w+\) \(not priced\)/);
  expect(await reportOf(RUN.job)).toContain('measured time at list prices, EC2 on demand, own machines not priced');
}, 120_000);

describe('the computing time of a job', () => {
  test('counts a message that was delivered twice two times, and its images once', async () => {
    await describeJob(PER_MESSAGE);
    const before = await invoke(harness.worker, goodImages('before'));
    harness.aws.clear();
    await describeJob(PER_MESSAGE);
    const first = await invoke(harness.worker, goodImages('image'));
    const once = seconds(await status());
    let second = 0;
    // The second file of two deliveries that took the same milliseconds would have the name of the first.
    while ((await harness.aws.partKeys('results', RUN.job)).length < 2) {
      second += await invoke(harness.worker, goodImages('image'));
    }
    const twice = await status();
    expect(twice).toMatchObject({ state: 'completed', classified: PER_MESSAGE, failed: 0 });
    expect(seconds(twice)).toBeGreaterThan(once);
    // What the invocation before did after its part file goes into the next one.
    expect(seconds(twice)).toBeLessThanOrEqual((before + first + second) * 1.05);
  });

  test('includes the attempts of images that were only retried', async () => {
    await describeJob(1);
    await invoke(harness.worker, goodImages('before'));
    const before = seconds(await status());
    const waiting = goodImages('busy').map(({ id }) => ({ id, url: harness.misbehaving.url('/status/503') }));
    const retried = (await invoke(harness.worker, waiting)) + (await invoke(harness.worker, waiting));
    expect(seconds(await status())).toBe(before);
    const last = await invoke(harness.worker, [harness.good('last')]);
    const added = seconds(await status()) - before;
    expect(added).toBeGreaterThan(last);
    expect(added).toBeLessThanOrEqual((retried + last) * 1.05 + 0.05);
  });

  test('is kept when a part of the failures is redriven', async () => {
    await describeJob(PER_MESSAGE);
    const gone = [...Array(PER_MESSAGE).keys()].map((index) => ({
      id: `gone-${index}`,
      url: harness.misbehaving.url(index === 0 ? '/status/410' : '/status/404'),
    }));
    await invoke(harness.worker, gone);
    const before = await status();
    expect(before.failedByCode).toEqual({ not_found: PER_MESSAGE - 1, gone: 1 });
    const { code } = await runCommand(['redrive', RUN.job, '--code', 'gone'], { environment: harness.aws.environment });
    expect(code).toBe(0);
    const after = await status();
    expect(after.failed).toBe(PER_MESSAGE - 1);
    expect(after.computing.workers).toEqual(before.computing.workers);
  });

  test('is estimated with the assumed processor, and marked so, for files of earlier versions', async () => {
    await describeJob(2 * PER_MESSAGE);
    await invoke(harness.worker, goodImages('old'));
    await forgetTimes();
    const old = await status();
    expect(old).toMatchObject({ classified: PER_MESSAGE, computing: { workers: [], measuredShare: 0 } });
    expect(computingUsd(old)).toBeCloseTo(assumedUsd(PER_MESSAGE), 12);
    await invoke(harness.worker, goodImages('new'));
    const mixed = await status();
    expect(mixed.computing.measuredShare).toBe(0.5);
    expect(computingUsd(mixed)).toBeGreaterThan(assumedUsd(PER_MESSAGE));
    const { stdout } = await runCommand(['status', RUN.job], { environment: harness.aws.environment });
    expect(stdout).toMatch(
      /cost so far \$[\d.]+ at list prices: .* s of x86_64 with 1,769 MB, as its workers measured, and an estimate for the 50 % that earlier versions did \(assumed: AVX2, x86_64, 1,769 MB, [\d.]+ ms per image\)/,
    );
  });
});

/** Leaves the part files as workers of earlier versions named them. */
async function forgetTimes(): Promise<void> {
  const { s3, resultsBucket: Bucket } = harness.aws.target;
  for (const Key of await harness.aws.partKeys('results', RUN.job)) {
    const old = Key.replace(/-t\w+(?=\.)/, '');
    expect(old).not.toBe(Key);
    await s3.send(new CopyObjectCommand({ Bucket, CopySource: `${Bucket}/${Key}`, Key: old }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  }
}
