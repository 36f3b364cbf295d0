import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Cancellations } from '../../../functions/classify/cancellations.ts';
import { JobGuard, type JobGuardOptions } from '../../../functions/classify/job-guard.ts';
import { PartWriter } from '../../../functions/classify/part-writer.ts';
import { WorkTime } from '../../../functions/classify/work-time.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import type { JobDescription } from '../../../shared/contract/job-description.ts';
import { runName } from '../../../shared/contract/job-run.ts';
import { MIN_OUTCOMES_FOR_FAILURE_RATE, SHORTEST_GUARD_INTERVAL_MS } from '../../../shared/contract/limits.ts';
import { cancelledKey } from '../../../shared/contract/object-keys.ts';
import { failureLine, resultLine } from '../../../shared/contract/result-line.ts';
import { ASSUMED, type Cost, costOfImages } from '../../../shared/cost.ts';
import { isCancelled, writeJob } from '../../../shared/jobs/job-store.ts';
import { startInterceptedAws } from '../../support/intercepted-aws.ts';
import { createRandom } from '../../support/random.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const JOB = 'cats';
const RUN = { job: JOB, run: '0'.repeat(16) };
const PER_MESSAGE = 100;

const [network] = await sharedByTests(startInterceptedAws());
const { aws } = network;
beforeEach(() => {
  aws.clear();
  network.intercept((_call, pass) => pass());
});

async function describeJob(limits: Partial<JobDescription>, at = new Date(0)): Promise<void> {
  const time = at.toISOString();
  const numbers = { perMessage: PER_MESSAGE, images: 1_000_000, sent: 1_000_000, messages: 10_000 };
  const names = { ...RUN, source: 'cats.txt', sourceDigest: '' };
  await writeJob(aws.target, {
    v: 1,
    state: 'enqueued',
    ...names,
    ...numbers,
    startedAt: time,
    updatedAt: time,
    ...limits,
  });
}

/** Writes outcomes as a worker does for a message: a part of each kind. */
async function writeMessage(name: string, classified: number, failed: number, time?: WorkTime): Promise<void> {
  const origin = (id: string) => ({ ...RUN, image: { id, url: `https://host/${id}` }, attempt: 1, at: new Date() });
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const error = new ImageFailure('not_found', 'expected status 200, got 404').report();
  const results = Array.from({ length: classified }, (_, index) =>
    resultLine(origin(`${name}-good-${index}`), [], { name: 'stub', version: '1' }, facts),
  );
  const failures = Array.from({ length: failed }, (_, index) => failureLine(origin(`${name}-bad-${index}`), error));
  const parts = new PartWriter(aws.target.s3, aws.target.resultsBucket, { time });
  const of = PER_MESSAGE;
  await Promise.all([parts.write('results', RUN, results, of), parts.write('failures', RUN, failures, of)]);
}

async function looks(options: Partial<JobGuardOptions>, outcomes = 1): Promise<void> {
  const guard = new JobGuard({ bucket: network.intercepted, ...options });
  guard.settled(RUN, outcomes);
  await guard.finish(30_000);
}

async function reason(): Promise<string> {
  const { s3, resultsBucket } = aws.target;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: resultsBucket, Key: cancelledKey(RUN) }));
  return JSON.parse((await Body?.transformToString()) ?? '').reason;
}

describe('--max-failure-rate', () => {
  test.each([
    ['is cancelled when more than the share failed', 150, 50, 0.2, true],
    ['goes on when just the share failed', 160, 40, 0.2, false],
    ['goes on while there are too few outcomes', 0, MIN_OUTCOMES_FOR_FAILURE_RATE - 1, 0.2, false],
    ['goes on when its producer set no share', 0, 300, undefined, false],
  ])('a job %s', async (_, classified, failed, maxFailureRate, cancelled) => {
    await describeJob(maxFailureRate === undefined ? {} : { maxFailureRate });
    await writeMessage('one', classified, failed);
    await looks({});
    expect(await isCancelled(aws.target, RUN)).toBe(cancelled);
  });

  test('is evaluated from a sample of many parts, within a few percent', async () => {
    await describeJob({ maxFailureRate: 0.25 });
    for (let start = 0; start < 3_000; start += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => writeMessage(String(start + index), 7, 3)));
    }
    const listings: string[] = [];
    network.intercept((call, pass) => {
      if (call === 'LIST') listings.push(call);
      return pass();
    });
    await looks({ countedParts: 1_000 });
    expect(listings).toHaveLength(2);
    const [, failed, outcomes] = /^(\d+) of (\d+) images failed/.exec(await reason()) ?? [];
    expect(Number(failed) / 9_000).toBeCloseTo(1, 0.8);
    expect(Number(outcomes) / 30_000).toBeCloseTo(1, 0.8);
  }, 120_000);
});

test('cancelling a job for its failures requests a check of its end', async () => {
  await describeJob({ maxFailureRate: 0.2 });
  await writeMessage('one', 0, 300);
  const calls: string[] = [];
  network.intercept((call, pass) => {
    calls.push(call);
    return pass();
  });
  await looks({});
  expect(await isCancelled(aws.target, RUN)).toBe(true);
  // After the mark: an earlier look would not see it.
  expect(calls.slice(-2)).toEqual(['PUT', 'SendMessage']);
});

test('too many failures of an earlier run cancel neither it nor the newest one', async () => {
  await describeJob({ run: '1'.repeat(16), maxFailureRate: 0.2 });
  await writeMessage('one', 0, 300);
  await looks({});
  expect(await isCancelled(aws.target, RUN)).toBe(false);
  expect(await isCancelled(aws.target, { job: JOB, run: '1'.repeat(16) })).toBe(false);
});

test('a listing without an answer delays neither the work nor the end of an invocation for long', async () => {
  await describeJob({ maxFailureRate: 0.2 });
  await writeMessage('one', 0, 300);
  const stuck = Promise.withResolvers<void>();
  network.intercept(async (call, pass) => {
    if (call === 'LIST') await stuck.promise;
    await pass();
  });
  const guard = new JobGuard({ bucket: network.intercepted });
  guard.settled(RUN, 300);
  expect(guard.isBusy).toBe(true);
  await guard.finish(100);
  expect(guard.isBusy).toBe(true);
  await guard.finish(30_000);
  expect(guard.isBusy).toBe(false);
  expect(await isCancelled(aws.target, RUN)).toBe(false);
  stuck.resolve();
}, 60_000);

test('an S3 that refuses everything does not affect the work', async () => {
  network.intercept(async (_call, _pass, cut) => cut());
  await looks({});
  expect(await isCancelled(aws.target, RUN)).toBe(false);
});

/** Workers in virtual time: each settles a message of 100 images in its turn, at so many images per second together. */
type Fleet = { workers: number; imagesPerSecond: number; seconds: number; msPerImage: number };
type Spent = { outcomes: number; seconds: number; calls: Map<string, number>; cancelledAt: number | undefined };

async function runFleet({ workers, imagesPerSecond, seconds, msPerImage }: Fleet): Promise<Spent> {
  const clock = { now: 0, work: 0 };
  const chance = createRandom(7);
  const random = () => chance.between(0, 2 ** 30 - 1) / 2 ** 30;
  const calls = new Map<string, number>();
  network.intercept((call, pass) => {
    calls.set(call, (calls.get(call) ?? 0) + 1);
    return pass();
  });
  const fleet = Array.from({ length: workers }, () => ({
    time: new WorkTime({ now: () => clock.work }),
    guard: new JobGuard({ bucket: network.intercepted, now: () => clock.now, random }),
  }));
  const cancellations = new Cancellations(
    (of) => isCancelled(aws.target, of),
    () => clock.now,
  );
  const messageMs = (PER_MESSAGE / imagesPerSecond) * 1_000;
  let cancelledAt: number | undefined;
  let messages = 0;
  for (; clock.now < seconds * 1_000; messages++, clock.now += messageMs) {
    await cancellations.refresh([RUN]);
    if (cancellations.isCancelled(RUN)) break;
    const { guard, time } = fleet[messages % workers] as (typeof fleet)[number];
    using _working = time.begin();
    clock.work += PER_MESSAGE * msPerImage;
    time.spentOn(runName(RUN));
    await writeMessage(String(messages), PER_MESSAGE, 0, time);
    guard.settled(RUN, PER_MESSAGE);
    await guard.finish(30_000);
    if (cancelledAt === undefined && (await isCancelled(aws.target, RUN))) cancelledAt = clock.now;
  }
  return { outcomes: messages * PER_MESSAGE, seconds: clock.now / 1_000, calls, cancelledAt };
}

describe("the guard's requests to S3", () => {
  test('do not increase with the workers, and are limited per minute', async () => {
    const requests: Map<string, number>[] = [];
    for (const workers of [4, 80]) {
      aws.clear();
      await describeJob({ maxFailureRate: 0.2, maxCostUsd: 1_000 });
      const { calls } = await runFleet({ workers, imagesPerSecond: 1_000, seconds: 120, msPerImage: 10 });
      requests.push(calls);
    }
    const [few = new Map(), many = new Map()] = requests;
    const countsPerMinute = 60_000 / SHORTEST_GUARD_INTERVAL_MS;
    for (const calls of [few, many]) {
      expect(calls.get('LIST')).toBeGreaterThanOrEqual(2 * 4);
      // Two listings and two writes per count.
      expect(calls.get('LIST')).toBeLessThanOrEqual(2 * 2 * countsPerMinute);
      expect(calls.get('PUT')).toBeLessThanOrEqual(2 * 2 * countsPerMinute);
    }
    expect(Math.abs((many.get('LIST') ?? 0) - (few.get('LIST') ?? 0))).toBeLessThanOrEqual(6);
    // Each worker reads the job and its record once; looks are as many as with few workers.
    expect((many.get('GET') ?? 0) - 2 * 80).toBeLessThanOrEqual(1.5 * (few.get('GET') ?? 0));
  }, 240_000);

  test('are one read of the job for a worker whose job has no limits', async () => {
    await describeJob({});
    const { calls } = await runFleet({ workers: 3, imagesPerSecond: 100, seconds: 30, msPerImage: 10 });
    expect(calls).toEqual(new Map([['GET', 3]]));
  }, 60_000);
});

function costAt(images: number, millisecondsPerImage: number): Cost {
  return costOfImages(images, PER_MESSAGE, { ...ASSUMED, millisecondsPerImage });
}

describe('--max-cost', () => {
  test.each([
    ['fast workers', 8, 1_000, 5],
    ['slow workers', 50, 500, 40],
  ])(
    'stops a job of %s before its cost has passed the limit by 2 %%',
    async (_, workers, imagesPerSecond, msPerImage) => {
      const maxCostUsd = costAt(imagesPerSecond * 120, msPerImage).totalUsd;
      await describeJob({ maxCostUsd });
      const { outcomes } = await runFleet({ workers, imagesPerSecond, seconds: 300, msPerImage });
      const spent = costAt(outcomes, msPerImage).totalUsd;
      expect(spent / maxCostUsd).toBeLessThanOrEqual(1.02);
      expect(spent / maxCostUsd).toBeGreaterThan(0.8);
      expect(await reason()).toMatch(/^about \$[\d.e-]+ spent on \d+ images, the limit of \$[\d.e-]+ is near$/);
    },
    240_000,
  );

  test('lets a job finish that will not exceed the limit', async () => {
    const maxCostUsd = costAt(30_000, 10).totalUsd * 1.001;
    await describeJob({ maxCostUsd, images: 30_000, sent: 30_000 });
    const { cancelledAt } = await runFleet({ workers: 4, imagesPerSecond: 500, seconds: 59.9, msPerImage: 10 });
    expect(cancelledAt).toBeUndefined();
  }, 120_000);

  test('uses the time that the workers measured', async () => {
    const maxCostUsd = costAt(40_000, 10).totalUsd;
    await describeJob({ maxCostUsd });
    const { outcomes } = await runFleet({ workers: 4, imagesPerSecond: 400, seconds: 200, msPerImage: 100 });
    const spent = costAt(outcomes, 100).totalUsd;
    expect(spent / maxCostUsd).toBeLessThanOrEqual(1.02);
  }, 120_000);
});
