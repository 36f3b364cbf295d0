import { beforeEach, expect, test } from '@jest/globals';
import { splitMessage } from '../../functions/classify/isolate-redelivered.ts';
import { persistOutcomes } from '../../functions/classify/persist-outcomes.ts';
import { type PlanContext, planOutcomes } from '../../functions/classify/plan-outcomes.ts';
import type { WorkerDependencies } from '../../functions/classify/worker-dependencies.ts';
import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { ImageRef, QueueMessage } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { redrive } from '../../shared/jobs/redrive.ts';
import { sqsRecord } from '../../testkit/sqs-record.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { destinationsOf } from '../support/test-worker.ts';
import { interceptSends } from './sqs-faults.ts';

const JOB = 'cats.2026-11_a';
const CONTEXT: PlanContext = {
  model: { name: 'model', version: '1' },
  retryBaseSeconds: 10,
  now: new Date(),
  random: 0,
};

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

function image(id: string): ImageRef {
  return { id, url: `https://host.example/${id}.jpg` };
}

/** The groups of what is sent to the queue and to the DLQ meanwhile; `none` for a message without one. */
async function groupsSent(work: () => Promise<unknown>): Promise<{ queue: string[]; deadLetters: string[] }> {
  const groups = { queue: [] as string[], deadLetters: [] as string[] };
  using _watch = interceptSends(aws.target.sqs, (input, send) => {
    const to = input.QueueUrl === aws.target.queueUrl ? groups.queue : groups.deadLetters;
    to.push(...(input.Entries ?? []).map(({ MessageGroupId = 'none' }) => MessageGroupId));
    return send(input);
  });
  await work();
  return groups;
}

test('each message that is enqueued carries its job as the group', async () => {
  const plan = newJob({ job: JOB, source: 'cats.txt', sourceDigest: '', perMessage: 1, images: 3 });
  async function* images() {
    yield* ['a', 'b', 'c'].map(image);
  }
  const { queue } = await groupsSent(() => enqueue(aws.target, images(), plan));
  expect(queue).toEqual([JOB, JOB, JOB]);
});

const RETRIED = new ImageFailure('server_error', 'expected status 200, got 503');
const FAILED = new ImageFailure('not_found', 'expected status 200, got 404');

test.each<[string, ImageOutcome]>([
  ['is retried', RETRIED],
  ['is put off because its host rests', new PutOff('host_rests', 30, 'expected an answer')],
  ['was not reached', 'not_reached'],
])('an image that %s is sent on in the group of its job; a dead letter has no group', async (_, outcome) => {
  const message: QueueMessage = { job: JOB, attempt: 1, images: [image('a'), image('b')] };
  const [first, second] = message.images as [ImageRef, ImageRef];
  const plan = planOutcomes(
    message,
    [
      [first, outcome],
      [second, FAILED],
    ],
    CONTEXT,
  );
  const to = destinationsOf(aws.target);
  const groups = await groupsSent(async () => {
    const settled = persistOutcomes(plan, to);
    to.parts.flush();
    await settled;
  });
  expect(groups).toEqual({ queue: [JOB], deadLetters: ['none'] });
});

test('the parts of a message that is split are in the group of its job', async () => {
  const message: QueueMessage = { job: JOB, attempt: 1, images: [image('a'), image('b')] };
  const dependencies = { destinations: destinationsOf(aws.target) } as WorkerDependencies;
  const { queue } = await groupsSent(() => splitMessage({ record: sqsRecord(''), message }, dependencies));
  expect(queue).toEqual([JOB, JOB]);
});

test('images that a redrive sends again are in the group of their job', async () => {
  const to = destinationsOf(aws.target);
  const message: QueueMessage = { job: JOB, attempt: 1, images: [image('a')] };
  const settled = persistOutcomes(planOutcomes(message, [[image('a'), FAILED]], CONTEXT), to);
  to.parts.flush();
  await settled;
  const options = { job: JOB, codes: undefined, perMessage: 100, dryRun: false };
  const { queue } = await groupsSent(() => redrive(aws.target, options, new Date()));
  expect(queue).toEqual([JOB]);
});
