import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import pMap from 'p-map';
import type { QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { jobStatus } from '../../../shared/jobs/job-status.ts';
import { isCancelled, newestRun } from '../../../shared/jobs/job-store.ts';
import { listObjects } from '../../../shared/jobs/list-objects.ts';
import { readOutcomes } from '../../../shared/jobs/read-outcomes.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { imagesOf, JOB, RepeatedJob } from '../../support/repeated-job.ts';

const COMMANDS = ['enqueue', 'cancel', 'purge', 'redrive', 'take', 'finish', 'work', 'timePasses'] as const;
type Command = (typeof COMMANDS)[number];

/** Mostly waiting for SQS. */
const SCENES_AT_ONCE = 16;
/** Of the commands in any order: each run performs the same ones. */
const SEED = 14;

/** Performs the commands, lets the worker come to the end of its work, and counts. */
async function perform(commands: readonly Command[]): Promise<void> {
  await using aws = await startTestAws();
  await using scene = new RepeatedJob(aws);
  for (const command of commands) await scene[command]();
  await workToTheEnd(aws, scene);
  await expectOutcomesOfNewestRunAlone(aws, scene, commands);
}

async function workToTheEnd(aws: TestAws, scene: RepeatedJob): Promise<void> {
  await scene.finish();
  scene.timePasses();
  await scene.work();
  expect(aws.queued()).toEqual([]);
  // What was cancelled or purged in the end is begun once more: the last run is one whose images are wanted.
  const newest = await newestRun(aws.target, JOB);
  if (newest.run !== undefined && !(await isCancelled(aws.target, newest))) return;
  await scene.purge();
  await scene.enqueue();
  await scene.work();
}

async function expectOutcomesOfNewestRunAlone(
  aws: TestAws,
  scene: RepeatedJob,
  commands: readonly Command[],
): Promise<void> {
  const images = imagesOf(scene.enqueued);
  const [missing, ...classified] = images.toSorted((one) => (one.id === 'missing' ? -1 : 0));
  const { run } = await newestRun(aws.target, JOB);
  const { results, failures } = await readOutcomes(aws.target, JOB);
  const seen = (lines: typeof results | typeof failures) => [...lines.values()].map((line) => line.url).toSorted();
  const status = await jobStatus(aws.target, JOB, new Date());
  const earlier = aws.deadLetters().filter(({ body }) => (parseMessage(body) as QueueMessage).run !== run).length;
  expect({ commands, run, results: seen(results), failures: seen(failures), status }).toEqual({
    commands,
    run: expect.stringMatching(/^[0-9a-f]{16}$/),
    results: classified.map(({ url }) => url).toSorted(),
    failures: [missing?.url],
    status: expect.objectContaining({ run, state: 'completed with failures', classified: 4, failed: 1, remaining: 0 }),
  });
  expect({ commands, ...(await scene.redrive()) }).toMatchObject({ commands, images: 1, ofEarlierRuns: earlier });
  expect(aws.queued().map(({ body }) => parseMessage(body))).toEqual([
    { job: JOB, run, attempt: 1, images: [missing] },
  ]);
  await scene.work();
  await scene.purge();
  expect(await keysLeft(aws)).toEqual([]);
}

/** All but the marks that outlive a purge. */
async function keysLeft({ target }: TestAws): Promise<string[]> {
  const objects = await Array.fromAsync(listObjects(target.s3, target.resultsBucket, ''));
  return objects.map(({ Key = '' }) => Key).filter((key) => !key.startsWith('cancelled/'));
}

/** Each order of some of the commands, none included. */
function ordersOf(commands: readonly Command[]): Command[][] {
  return [
    [],
    ...commands.flatMap((first) => ordersOf(commands.filter((one) => one !== first)).map((rest) => [first, ...rest])),
  ];
}

const WORKERS: [string, (then: Command[]) => Command[]][] = [
  ['that have not begun', (then) => ['enqueue', ...then, 'enqueue']],
  ['that know the job, and are idle', (then) => ['enqueue', 'work', ...then, 'work', 'timePasses', 'enqueue']],
  ['that are busy until it is enqueued again', (then) => ['enqueue', 'take', ...then, 'finish', 'enqueue']],
  ['that are busy while it is enqueued again', (then) => ['enqueue', 'take', ...then, 'enqueue', 'timePasses', 'work']],
];

test.each(WORKERS)(
  'every image of the newest run has its outcome, and nothing of earlier ones counts: each order of cancel, purge and redrive between enqueue and enqueue again, with workers %s',
  async (_, around) => {
    const orders = ordersOf(['cancel', 'purge', 'redrive']);
    expect(orders).toHaveLength(16);
    await pMap(orders, (order) => perform(around(order)), { concurrency: SCENES_AT_ONCE });
  },
  120_000,
);

test('the same after any commands in any order', async () => {
  const any = fc.array(fc.constantFrom(...COMMANDS), { minLength: 3, maxLength: 12 });
  const sequences = fc.sample(any, { seed: SEED, numRuns: 16 });
  await pMap(sequences, (commands) => perform(['enqueue', ...commands]), { concurrency: SCENES_AT_ONCE });
}, 120_000);

test('what is on the queue of a purged run is acknowledged without a fetch, and the next purge removes what a busy worker wrote', async () => {
  await using aws = await startTestAws();
  await using scene = new RepeatedJob(aws);
  await scene.enqueue();
  await scene.take();
  await scene.cancel();
  await scene.purge();
  await scene.finish();
  expect(await aws.results(JOB)).not.toEqual([]);
  expect(await jobStatus(aws.target, JOB, new Date())).toBeUndefined();
  const fetchesBefore = scene.fetches;
  scene.timePasses();
  await scene.work();
  expect({ queued: aws.queued(), fetches: scene.fetches }).toEqual({ queued: [], fetches: fetchesBefore });
  await scene.purge();
  expect(await keysLeft(aws)).toEqual([]);
});
