import { afterEach, expect, test } from '@jest/globals';
import { MAX_RECEIVE_COUNT } from '../../shared/contract/limits.ts';
import { eventually } from '../../testkit/eventually.ts';
import { startScriptedFunction } from '../support/scripted-function.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

/** Short, so that messages come back while a test waits. */
const VISIBILITY_TIMEOUT_SECONDS = 1;

const [lambda] = await sharedByTests(
  startScriptedFunction({
    visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
    timeoutSeconds: 0.5,
  }),
);

afterEach(() => lambda.reset());

test('leaves failed messages to their visibility timeout, and to the DLQ after five receives', async () => {
  await lambda.aws.send('fail for ever', 'fine');
  lambda.work();
  await eventually('the message is in the DLQ', () => lambda.aws.deadLetters().length > 0);
  expect(lambda.aws.deadLetters().map(({ body }) => body)).toEqual(['fail for ever']);
  expect(lambda.aws.queued()).toEqual([]);
  expect(lambda.bodies().filter((body) => body === 'fine')).toHaveLength(1);
  const tries = lambda.invocations.filter(({ bodies }) => bodies.includes('fail for ever'));
  expect(tries.map(({ receiveCounts }) => receiveCounts[0])).toEqual(['1', '2', '3', '4', '5']);
  expect(tries).toHaveLength(MAX_RECEIVE_COUNT);
  tries.slice(1).forEach(({ from }, index) => {
    const waited = from - (tries[index]?.from ?? 0);
    // The visibility timeout starts when the message is received, a little before the invocation.
    expect(waited).toBeGreaterThan(VISIBILITY_TIMEOUT_SECONDS * 900);
  });
});

test('redelivers the whole batch when the function throws', async () => {
  await lambda.aws.send('throw', 'healthy');
  lambda.work();
  await eventually('both came twice', () => lambda.invocations.length >= 2);
  expect(lambda.invocations.slice(0, 2).map(({ bodies }) => bodies.toSorted())).toEqual([
    ['healthy', 'throw'],
    ['healthy', 'throw'],
  ]);
  expect(lambda.errors[0]?.message).toContain('thrown as asked');
});

test.each([
  ['exceeds its time-out', 'hang', 'Task timed out after 0.5 seconds'],
  ['dies', 'exit', "the function's process ended with exit code 3"],
])('continues with a new process when one %s, and leaves the message on the queue', async (_what, body, message) => {
  await lambda.aws.send(body);
  lambda.work();
  await eventually('the invocation failed', () => lambda.errors.length > 0);
  expect(lambda.errors[0]?.message).toBe(message);
  expect(lambda.aws.queued().map((queued) => queued.body)).toEqual([body]);
  await lambda.aws.send('fine');
  await eventually('the next message is taken', () => lambda.bodies().includes('fine'));
  const pidOf = (wanted: string) => lambda.invocations.find(({ bodies }) => bodies.includes(wanted))?.pid;
  expect(pidOf('fine')).not.toBe(pidOf(body));
});
