/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: AWS moves messages by itself. */
import { afterEach, expect, test } from '@jest/globals';
import { sweep } from '../../../functions/sweep/sweep.ts';
import { MAX_RECEIVE_COUNT, STRANDED_AFTER_MS } from '../../../shared/contract/limits.ts';
import { settleMoved } from '../../../shared/jobs/moved-messages.ts';
import { redrive } from '../../../shared/jobs/redrive.ts';
import { sendMessages } from '../../../shared/jobs/send-messages.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [harness] = await sharedByTests(startHarness());
afterEach(() => harness.reset());

const OF_JOB = { job: 'job' };
/** What `wait` does when nothing else is left. */
const settled = async () => (await settleMoved(harness.aws.target, OF_JOB, { now: new Date() })).images;

/** The delivery after the last one: SQS moves the message in place of it. */
async function movedBySqs(): Promise<void> {
  await harness.receiveWithoutWorker(MAX_RECEIVE_COUNT);
  expect(await harness.receive()).toEqual([]);
  expect(harness.inQueue()).toEqual([]);
}

test('no worker starts for five deliveries', async () => {
  const body = bodyOf([harness.good('a'), harness.good('b')]);
  await harness.aws.send(body);
  await movedBySqs();
  expect(await harness.seen()).toEqual({ classified: [], failed: {} });
  expect(await settled()).toBe(2);
  expect(await harness.seen()).toEqual({ classified: [], failed: { a: 'worker_crashed', b: 'worker_crashed' } });
  expect(harness.aws.deadLetters().map((letter) => letter.body)).toEqual([body]);
  // Looking again finds nothing new, and writes nothing.
  expect(await settled()).toBe(0);
  expect(await harness.listed('failures')).toBe(2);
});

test('Lambda treats a chain of messages as a loop', async () => {
  const { sqs, deadLetterQueueUrl } = harness.aws.target;
  const body = JSON.stringify({ ...JSON.parse(bodyOf([harness.good('a')])), hops: 7 });
  await sendMessages(sqs, deadLetterQueueUrl, [{ body }]);
  expect(await settled()).toBe(1);
  expect(await harness.seen()).toEqual({ classified: [], failed: { a: 'worker_crashed' } });
  expect(harness.aws.deadLetters().map((letter) => letter.body)).toEqual([body]);
});

test('SQS moves a message after some of its images got an outcome', async () => {
  const images = [harness.good('done'), harness.missing(), harness.good('lost')];
  // Some of its images were settled with another message.
  await harness.aws.send(bodyOf(images.slice(0, 2)));
  await harness.deliverAll();
  await harness.aws.send(bodyOf(images));
  await movedBySqs();
  await settled();
  expect(await harness.seen()).toEqual({
    classified: ['done'],
    failed: { missing: 'not_found', lost: 'worker_crashed' },
  });
});

test('no command waits for a job whose message SQS moved', async () => {
  const body = bodyOf([harness.good('a'), harness.good('b')]);
  await harness.aws.send(body);
  await movedBySqs();
  const sweepIn = (ms: number) => sweep(harness.aws.target, new Date(Date.now() + ms), AbortSignal.timeout(60_000));
  expect(await sweepIn(STRANDED_AFTER_MS - 60_000)).toMatchObject({ images: 0 });
  expect(await sweepIn(STRANDED_AFTER_MS + 60_000)).toMatchObject({ images: 2 });
  expect(await harness.seen()).toEqual({ classified: [], failed: { a: 'worker_crashed', b: 'worker_crashed' } });
  expect(harness.aws.deadLetters().map((letter) => letter.body)).toEqual([body]);
});

test('images of a message that SQS moved are sent again', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.good('b')]));
  await movedBySqs();
  await settled();
  const options = { ...OF_JOB, codes: undefined, perMessage: 100, dryRun: false };
  expect(await redrive(harness.aws.target, options, new Date())).toMatchObject({ images: 2, deadLetters: 1 });
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({ classified: ['a', 'b'], failed: {} });
  expect(harness.aws.deadLetters()).toEqual([]);
});
