import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { Swept } from '../../../functions/sweep/sweep.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { strandedLongAgo } from '../../support/stranded-run.ts';

const HANDLER = join(import.meta.dirname, '../../../functions/sweep/handler.ts');

const [aws] = await sharedByTests(startTestAws());
let log = '';
beforeEach(() => {
  aws.clear();
  log = '';
});

async function invoked(timeoutSeconds: number): Promise<Swept> {
  const sweeper = new ExecutionEnvironment<object, Swept>({
    handlerPath: HANDLER,
    timeoutSeconds,
    environment: aws.environment,
    onLog: (text) => {
      log += text;
    },
  });
  try {
    return await sweeper.invoke({ source: 'aws.events', 'detail-type': 'Scheduled Event' });
  } finally {
    await sweeper.shutDown();
  }
}

test('the schedule writes the missing failures, and the log says how many', async () => {
  const of = await strandedLongAgo(aws, ['a', 'b']);
  expect(await invoked(300)).toEqual({ letters: 1, notLookedAt: 0, images: 2, runs: 1 });
  const failures = await aws.failures(of.job);
  expect(failures.map(({ id, error: { code } }) => [id, code])).toEqual([
    ['a', 'worker_crashed'],
    ['b', 'worker_crashed'],
  ]);
  await eventually('a line in the log', () => /"message":"swept".*"images":2/.test(log));
}, 60_000);

test('it reserves half a minute of its time for making letters visible again', async () => {
  const of = await strandedLongAgo(aws, ['a']);
  expect(await invoked(30)).toMatchObject({ images: 0, notLookedAt: expect.any(Number) });
  expect(await aws.failures(of.job)).toEqual([]);
  expect(aws.deadLetters()).toHaveLength(1);
}, 60_000);
