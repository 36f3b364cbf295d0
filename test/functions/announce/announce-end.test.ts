import { beforeEach, describe, expect, test } from '@jest/globals';
import { type JobEnd, jobEndId } from '../../../shared/contract/job-end.ts';
import { FUNCTION_TIMEOUT_SECONDS } from '../../../shared/contract/limits.ts';
import { readEndRecord } from '../../../shared/jobs/end-record.ts';
import { jobStatus } from '../../../shared/jobs/job-status.ts';
import { cancelJob } from '../../../shared/jobs/job-store.ts';
import { purgeJob } from '../../../shared/jobs/purge-job.ts';
import { eventually } from '../../../testkit/eventually.ts';
import {
  anyRun,
  createAnnouncer,
  describeRun,
  idsOf,
  later,
  writeFailures,
  writeResults,
} from '../../support/ended-run.ts';
import { startInterceptedAws } from '../../support/intercepted-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const DONE = { kind: 'done' };

const [network] = await sharedByTests(startInterceptedAws());
/** Requests to AWS that came through `network.intercepted`. */
let calls: string[];
const { aws } = network;
beforeEach(() => {
  aws.clear();
  calls = [];
  network.intercept((call, pass) => {
    calls.push(call);
    return pass();
  });
});

describe('the end of a run', () => {
  test('is announced with the counts and the cost of status, and the location of the lines', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(50));
    await writeResults(aws.target, of, idsOf(48));
    await writeFailures(aws.target, of, ['image-48', 'image-49']);
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual(DONE);
    const status = await jobStatus(aws.target, of.job, new Date());
    expect(announcer.events).toEqual([
      {
        ...{ v: 1, id: jobEndId({ ...of, generation: 0 }), ...of, generation: 0, state: 'completed with failures' },
        ...{ images: 50, classified: 48, failed: 2, failedByCode: { not_found: 2 }, withoutOutcome: 0 },
        costUsd: status?.costSoFarUsd,
        computing: {
          workers: [{ host: 'lambda', architecture: 'x86_64', memoryMb: 1_769, seconds: 2 }],
          measuredShare: 1,
        },
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        bucket: aws.target.resultsBucket,
        results: `results/job=cats/run=${of.run}/`,
        failures: `failures/job=cats/run=${of.run}/`,
      },
    ]);
    expect(announcer.found).toEqual(announcer.events);
  });

  test('is completed when each image was classified, and when it has none', async () => {
    const announcer = createAnnouncer(aws.target);
    for (const images of [2, 0]) {
      const of = anyRun();
      await describeRun(aws.target, of, idsOf(images));
      if (images > 0) await writeResults(aws.target, of, idsOf(images));
      await announcer.look(of);
    }
    expect(announcer.events.map(({ state }) => state)).toEqual(['completed', 'completed']);
  });

  test('is not announced while an image has no outcome, and no further check is scheduled', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(3));
    await writeResults(aws.target, of, idsOf(2));
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.found).toEqual([]);
    expect((await readEndRecord(aws.target, of)).record).toBeUndefined();
  });

  test('is not detected from duplicate lines', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(3));
    await writeResults(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, ['image-0']);
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.found).toEqual([]);
    await writeResults(aws.target, of, ['image-2']);
    await announcer.look(of);
    expect(announcer.events).toMatchObject([{ state: 'completed', classified: 3 }]);
  });

  test('has one id, however many checks run at the same time', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(40));
    await writeResults(aws.target, of, idsOf(40));
    const announcers = Array.from({ length: 8 }, () => createAnnouncer(aws.target));
    await Promise.all(announcers.map((announcer) => announcer.look(of)));
    const texts = announcers.flatMap(({ events }) => events.map((end) => JSON.stringify(end)));
    expect(new Set(texts).size).toBe(1);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ id: jobEndId({ ...of, generation: 0 }) });
    await announcers[0]?.look(of);
    expect((await readEndRecord(aws.target, of)).record).toMatchObject({ state: 'ended', announced: true });
  });

  test('is announced once, and each check after that costs one request', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2), { notify: 'https://hooks.example/labels' });
    await writeResults(aws.target, of, idsOf(2));
    const announcer = createAnnouncer(network.intercepted);
    await announcer.look(of);
    calls = [];
    for (let look = 0; look < 3; look++) expect(await announcer.look(of)).toEqual(DONE);
    expect(calls).toEqual(['GET', 'GET', 'GET']);
    expect(announcer.events).toHaveLength(1);
    expect(announcer.webhooks).toEqual([{ url: 'https://hooks.example/labels', end: announcer.events[0] }]);
  });

  test('costs a check of five requests before it, and five more when it is reached', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, ['image-0']);
    const announcer = createAnnouncer(network.intercepted);
    calls = [];
    await announcer.look(of);
    expect(calls.toSorted()).toEqual(['GET', 'GET', 'HEAD', 'LIST', 'LIST']);
    await writeResults(aws.target, of, ['image-1']);
    calls = [];
    await announcer.look(of);
    const once = ['GET', 'GET', 'HEAD', 'LIST', 'LIST'];
    expect(calls.toSorted()).toEqual([...once, 'LIST', 'LIST', 'PUT', 'GET', 'PUT'].toSorted());
  });

  test('is announced again where it failed, with the same id', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2), { notify: 'https://hooks.example/' });
    await writeResults(aws.target, of, idsOf(2));
    const failing = createAnnouncer(aws.target, { webhook: () => () => Promise.reject(new Error('no answer')) });
    expect(await failing.look(of)).toEqual({ kind: 'not announced' });
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.found).toEqual([]);
    expect(announcer.events).toEqual([]);
    expect(announcer.webhooks.map(({ end }) => JSON.stringify(end))).toEqual(
      failing.events.map((end) => JSON.stringify(end)),
    );
  });

  test('that was detected by a killed process is announced by the next check, unchanged', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, idsOf(2));
    const before: JobEnd[] = [];
    const dying = (end: JobEnd) => {
      before.push(end);
      return new Promise<never>(() => {});
    };
    void createAnnouncer(aws.target, { always: { eventBridge: dying } }).look(of);
    await eventually('the end is found', () => before.length > 0);
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.events).toEqual(before);
  });
});

describe('nothing is announced', () => {
  test('of an earlier run of the job', async () => {
    const [earlier, newest] = [anyRun(), anyRun()];
    await describeRun(aws.target, newest, idsOf(2));
    await writeResults(aws.target, earlier, idsOf(2));
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(earlier)).toEqual(DONE);
    expect(announcer.found).toEqual([]);
  });

  test('of a job that was purged', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, idsOf(2));
    await purgeJob(aws.target, of.job);
    const announcer = createAnnouncer(aws.target, { now: later(60) });
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.found).toEqual([]);
  });
});

describe('a check is repeated', () => {
  test('for a cancelled run, until its workers have noticed; then the end is announced', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(10));
    await writeResults(aws.target, of, idsOf(4));
    await cancelJob(aws.target, of, 'labelqueue cancel');
    expect(await createAnnouncer(aws.target).look(of)).toMatchObject({ kind: 'again', inSeconds: expect.any(Number) });
    const announcer = createAnnouncer(aws.target, { now: later(20) });
    await announcer.look(of);
    expect(announcer.events).toMatchObject([{ state: 'cancelled', classified: 4, withoutOutcome: 6 }]);
  });

  test('for a run whose producer has not finished, until the producer counts as gone', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2), { state: 'enqueuing', images: 4 });
    await writeResults(aws.target, of, idsOf(2));
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toEqual({ kind: 'again', inSeconds: 10, maxSeconds: 120 });
    const whenGone = createAnnouncer(aws.target, { now: later(61) });
    await whenGone.look(of);
    expect(whenGone.events).toMatchObject([{ state: 'failed', images: 2, classified: 2 }]);
  });

  test('for a run with a failure line of an image that is still in flight', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, ['image-0']);
    await writeFailures(aws.target, of, ['image-1'], 'worker_crashed');
    const announcer = createAnnouncer(aws.target);
    const verdict = await announcer.look(of);
    expect(verdict).toMatchObject({ kind: 'again' });
    // It comes out well after all.
    await writeResults(aws.target, of, ['image-1']);
    const after = createAnnouncer(aws.target, { now: later(FUNCTION_TIMEOUT_SECONDS + 1) });
    await after.look(of);
    expect(after.events).toMatchObject([{ state: 'completed', classified: 2, failed: 0 }]);
  });
});
