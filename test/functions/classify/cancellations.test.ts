import { setTimeout as delay } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { Cancellations } from '../../../functions/classify/cancellations.ts';
import { type JobRun, runName } from '../../../shared/contract/job-run.ts';
import { CANCELLATION_CHECK_MS } from '../../../shared/contract/limits.ts';

/** A bucket in which jobs can be cancelled, and a clock that is moved by hand. */
function cancellationsUnderTest() {
  const cancelled = new Set<string>();
  const asked: string[] = [];
  const clock = { now: 0 };
  const ask = async (of: JobRun) => {
    asked.push(runName(of));
    return cancelled.has(runName(of));
  };
  return { cancelled, asked, clock, cancellations: new Cancellations(ask, () => clock.now) };
}

test('asks once per job, however many messages of it arrive', async () => {
  const { asked, cancellations } = cancellationsUnderTest();
  await cancellations.refresh([{ job: 'cats' }, { job: 'cats' }, { job: 'dogs' }]);
  await cancellations.refresh([{ job: 'cats' }]);
  expect(asked).toEqual(['cats', 'dogs']);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
});

test('notices a cancellation when the cached answer expires', async () => {
  const { cancelled, clock, cancellations } = cancellationsUnderTest();
  await cancellations.refresh([{ job: 'cats' }]);
  cancelled.add('cats');
  clock.now = CANCELLATION_CHECK_MS / 2;
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
  clock.now = CANCELLATION_CHECK_MS;
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(true);
});

test('does not ask again for a run that is cancelled', async () => {
  const { cancelled, asked, clock, cancellations } = cancellationsUnderTest();
  const of = { job: 'cats', run: '0123456789abcdef' };
  cancelled.add(runName(of));
  await cancellations.refresh([of]);
  clock.now = 10 * CANCELLATION_CHECK_MS;
  await cancellations.refresh([of]);
  expect(asked).toEqual([runName(of)]);
});

test('cancelling a run does not cancel another run of the job', async () => {
  const { cancelled, cancellations } = cancellationsUnderTest();
  const [one, other] = [
    { job: 'cats', run: '0'.repeat(16) },
    { job: 'cats', run: '1'.repeat(16) },
  ];
  cancelled.add(runName(one));
  await cancellations.refresh([one, other, { job: 'cats' }]);
  expect([one, other, { job: 'cats' }].map((of) => cancellations.isCancelled(of))).toEqual([true, false, false]);
});

test('a job without runs continues once its mark is gone, but not while S3 does not answer', async () => {
  const answers = [async () => true, () => Promise.reject(new Error('no answer')), async () => false];
  const clock = { now: 0 };
  const cancellations = new Cancellations(
    () => (answers.shift() as () => Promise<boolean>)(),
    () => clock.now,
  );
  const seen: boolean[] = [];
  for (; answers.length > 0; clock.now += CANCELLATION_CHECK_MS) {
    await cancellations.refresh([{ job: 'cats' }]);
    seen.push(cancellations.isCancelled({ job: 'cats' }));
  }
  expect(seen).toEqual([true, true, false]);
});

test('a job counts as not cancelled while S3 does not answer', async () => {
  const cancellations = new Cancellations(() => Promise.reject(new Error('no answer')));
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
});

test('a watch notices a cancellation within the interval, though an answer takes a moment to arrive', async () => {
  jest.useFakeTimers();
  try {
    const cats = { job: 'cats' };
    let cancelled = false;
    let asked = 0;
    const cancellations = new Cancellations(async () => {
      asked++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return cancelled;
    });
    const first = cancellations.refresh([cats]);
    await jest.advanceTimersByTimeAsync(5);
    await first;
    using _watch = cancellations.watch([cats]);
    cancelled = true;
    await jest.advanceTimersByTimeAsync(CANCELLATION_CHECK_MS + 5);
    expect({ cancelled: cancellations.isCancelled(cats), asked }).toEqual({ cancelled: true, asked: 2 });
  } finally {
    jest.useRealTimers();
  }
});

test('an answer is as old as its question', async () => {
  const { cancelled, asked, clock } = cancellationsUnderTest();
  const slow = new Cancellations(
    async ({ job }) => {
      asked.push(job);
      const answer = cancelled.has(job);
      clock.now += 6_000;
      return answer;
    },
    () => clock.now,
  );
  await slow.refresh([{ job: 'cats' }]);
  cancelled.add('cats');
  clock.now = CANCELLATION_CHECK_MS;
  await slow.refresh([{ job: 'cats' }]);
  expect({ asked, cancelled: slow.isCancelled({ job: 'cats' }) }).toEqual({ asked: ['cats', 'cats'], cancelled: true });
});

test('a look-up that takes long is not made a second time meanwhile', async () => {
  let asked = 0;
  const cancellations = new Cancellations(async () => {
    asked++;
    await delay(20);
    return true;
  });
  await Promise.all([cancellations.refresh([{ job: 'cats' }]), cancellations.refresh([{ job: 'cats' }])]);
  expect({ cancelled: cancellations.isCancelled({ job: 'cats' }), asked }).toEqual({ cancelled: true, asked: 1 });
});
