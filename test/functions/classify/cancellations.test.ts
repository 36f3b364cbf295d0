import { expect, test } from '@jest/globals';
import { Cancellations } from '../../../functions/classify/cancellations.ts';
import { type JobRun, runName } from '../../../shared/contract/job-run.ts';
import { CANCELLATION_CHECK_MS } from '../../../shared/contract/limits.ts';

/** A bucket in which jobs can be cancelled, and a clock that is moved by hand. */
function trial() {
  const cancelled = new Set<string>();
  const asked: string[] = [];
  const clock = { now: 0 };
  const ask = async (of: JobRun) => {
    asked.push(runName(of));
    return cancelled.has(runName(of));
  };
  return { cancelled, asked, clock, cancellations: new Cancellations(ask, () => clock.now) };
}

test('asks once a job, however many messages of it come', async () => {
  const { asked, cancellations } = trial();
  await cancellations.refresh([{ job: 'cats' }, { job: 'cats' }, { job: 'dogs' }]);
  await cancellations.refresh([{ job: 'cats' }]);
  expect(asked).toEqual(['cats', 'dogs']);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
});

test('notices a cancellation once the answer has grown old', async () => {
  const { cancelled, clock, cancellations } = trial();
  await cancellations.refresh([{ job: 'cats' }]);
  cancelled.add('cats');
  clock.now = CANCELLATION_CHECK_MS - 1;
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
  clock.now = CANCELLATION_CHECK_MS;
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(true);
});

test('does not ask again for a job that is cancelled', async () => {
  const { cancelled, asked, clock, cancellations } = trial();
  cancelled.add('cats');
  await cancellations.refresh([{ job: 'cats' }]);
  clock.now = 10 * CANCELLATION_CHECK_MS;
  await cancellations.refresh([{ job: 'cats' }]);
  expect(asked).toEqual(['cats']);
});

test('a job counts as wanted while S3 does not answer', async () => {
  const cancellations = new Cancellations(() => Promise.reject(new Error('no answer')));
  await cancellations.refresh([{ job: 'cats' }]);
  expect(cancellations.isCancelled({ job: 'cats' })).toBe(false);
});
