import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { jobEndId } from '../../../shared/contract/job-end.ts';
import { END_HOLD_MS } from '../../../shared/contract/limits.ts';
import { EndHold, reopenEnd } from '../../../shared/jobs/end-hold.ts';
import { readEndRecord, replaceEndRecord } from '../../../shared/jobs/end-record.ts';
import { redrive } from '../../../shared/jobs/redrive.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import {
  anyRun,
  createAnnouncer,
  describeRun,
  idsOf,
  later,
  writeFailures,
  writeResults,
} from '../../support/ended-run.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const DONE = { kind: 'done' };
/** All but intervals. */
const REAL_TIMERS = [
  ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
  ...(['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] as const),
];

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

describe('a redrive', () => {
  const all = { codes: undefined, perMessage: 100, dryRun: false, deadLetterScan: { hiddenSeconds: 1 } };

  test('lets a finished run continue, and end again with another id', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(2));
    await writeResults(aws.target, of, ['image-0']);
    await writeFailures(aws.target, of, ['image-1']);
    const announcer = createAnnouncer(aws.target);
    await announcer.look(of);
    await redrive(aws.target, { ...of, ...all }, later(2)());
    expect(await announcer.look(of)).toEqual(DONE);
    expect(announcer.events).toHaveLength(1);
    await writeResults(aws.target, of, ['image-1']);
    await announcer.look(of);
    expect(announcer.events).toMatchObject([
      { generation: 0, state: 'completed with failures' },
      { generation: 1, state: 'completed', id: jobEndId({ ...of, generation: 1 }) },
    ]);
  });

  test('that sends nothing does not change the end', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(1));
    await writeResults(aws.target, of, idsOf(1));
    const announcer = createAnnouncer(aws.target);
    await announcer.look(of);
    const before = await readEndRecord(aws.target, of);
    await redrive(aws.target, { ...of, ...all }, later(2)());
    expect((await readEndRecord(aws.target, of)).record).toEqual(before.record);
    await announcer.look(of);
    expect(announcer.events).toHaveLength(1);
  });

  test('prevents the announcement of a run that looks complete between two of its batches', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(1));
    await writeFailures(aws.target, of, idsOf(1));
    const announcer = createAnnouncer(aws.target);
    await announcer.look(of);
    const hold = await EndHold.take(aws.target, of);
    expect(await announcer.look(of)).toMatchObject({ kind: 'again' });
    await hold?.release(true);
    await announcer.look(of);
    expect(announcer.events.map(({ generation }) => generation)).toEqual([0, 1]);
  });

  test.each([
    ['the first', 0],
    ['the second', 1],
  ])('delays the end while another redrive runs: %s is done', async (_, done) => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(1));
    await writeFailures(aws.target, of, idsOf(1));
    const holds = [await EndHold.take(aws.target, of), await EndHold.take(aws.target, of)];
    await holds[done]?.release(true);
    const announcer = createAnnouncer(aws.target);
    expect(await announcer.look(of)).toMatchObject({ kind: 'again' });
    await holds[1 - done]?.release(true);
    const after = createAnnouncer(aws.target, { now: later(61) });
    await after.look(of);
    expect([announcer.events, after.events]).toMatchObject([[], [{ generation: 0 }]]);
  });

  test('keeps delaying the end when another writer has replaced its record', async () => {
    const of = anyRun();
    jest.useFakeTimers({ doNotFake: REAL_TIMERS });
    try {
      const hold = await EndHold.take(aws.target, of);
      const { etag } = await readEndRecord(aws.target, of);
      await replaceEndRecord(aws.target, of, { v: 1, state: 'open', generation: 3, heldUntil: 0 }, etag);
      jest.advanceTimersByTime(END_HOLD_MS / 3);
      const heldUntil = async () => {
        const { record } = await readEndRecord(aws.target, of);
        return record?.state === 'open' && record.generation === 3 ? record.heldUntil : 0;
      };
      await eventually('the hold is taken again', async () => (await heldUntil()) > Date.now());
      await hold?.release(true);
      expect(await heldUntil()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test('that lost its hold and finds the end announced lets the run end again', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(1));
    await writeFailures(aws.target, of, idsOf(1));
    const hold = await EndHold.take(aws.target, of);
    await createAnnouncer(aws.target, { now: later(61) }).look(of);
    await hold?.release(true);
    const announcer = createAnnouncer(aws.target);
    await announcer.look(of);
    expect(announcer.events).toMatchObject([{ generation: 1 }]);
  });

  test('that was killed delays the end for a minute', async () => {
    const of = anyRun();
    await describeRun(aws.target, of, idsOf(1));
    await writeFailures(aws.target, of, idsOf(1));
    await EndHold.take(aws.target, of);
    const announcer = createAnnouncer(aws.target, { now: later(61) });
    await announcer.look(of);
    expect(announcer.events).toHaveLength(1);
  });
});

test('a run that failed while enqueuing and is resumed ends again, with another id', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(1), { state: 'failed', images: 2 });
  await writeResults(aws.target, of, idsOf(1));
  const announcer = createAnnouncer(aws.target);
  await announcer.look(of);
  await describeRun(aws.target, of, idsOf(2));
  await reopenEnd(aws.target, of);
  await writeResults(aws.target, of, ['image-1']);
  await announcer.look(of);
  expect(announcer.events).toMatchObject([
    { generation: 0, state: 'failed' },
    { generation: 1, state: 'completed' },
  ]);
});

test('a run whose producer counted as gone ends again when the producer continues', async () => {
  const of = anyRun();
  const whenSilent = { state: 'enqueuing', images: 3, updatedAt: new Date(Date.now() - 61_000).toISOString() } as const;
  await describeRun(aws.target, of, idsOf(1), whenSilent);
  await writeResults(aws.target, of, idsOf(1));
  const announcer = createAnnouncer(aws.target);
  await announcer.look(of);
  // The same producer may fall silent once more.
  await describeRun(aws.target, of, idsOf(2), whenSilent);
  await writeResults(aws.target, of, ['image-1']);
  await announcer.look(of);
  await announcer.look(of);
  await describeRun(aws.target, of, idsOf(3));
  await writeResults(aws.target, of, ['image-2']);
  await announcer.look(of);
  expect(announcer.events).toMatchObject([
    { generation: 0, state: 'failed', images: 1 },
    { generation: 1, state: 'failed', images: 2 },
    { generation: 2, state: 'completed', images: 3 },
  ]);
});
