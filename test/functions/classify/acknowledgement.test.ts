/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: messages and their outcomes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { MAX_HOPS, MAX_MESSAGE_BYTES, MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import { formatMessage, type ImageRef } from '../../../shared/contract/message.ts';
import { bodyOf, startTrial, type Trial } from '../../support/acknowledgement-trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await startTrial();
});
afterEach(() => trial.reset());
afterAll(() => trial.stop());

test('all images are classified', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.good('b')]));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a', 'b'], failed: {} });
  expect(trial.inQueue()).toEqual([]);
  expect(trial.aws.deadLetters()).toEqual([]);
});

test('some images have failed', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing(), trial.good('b')]));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
  expect(trial.inQueue()).toEqual([]);
  expect(trial.inDeadLetters()).toEqual(['missing']);
});

test('a retryable error before the fifth attempt', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.busy()], 4));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(trial.inQueue()).toEqual([{ ids: ['busy'], attempt: 5, hops: 1, receiveCount: 0, delaySeconds: 0 }]);
  expect(trial.aws.deadLetters()).toEqual([]);
});

test('a retryable error at the fifth attempt', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.busy()], 5));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { busy: 'server_error' } });
  expect(trial.inQueue()).toEqual([]);
  expect(trial.inDeadLetters()).toEqual(['busy']);
});

test('a dead letter is moved back to the queue', async () => {
  await trial.aws.send(bodyOf([{ id: 'a', url: trial.rude.url('/once/404/redriven') }]));
  await trial.deliver();
  expect(await trial.seen()).toEqual({ classified: [], failed: { a: 'not_found' } });
  await trial.aws.send(...trial.aws.deadLetters().map((letter) => letter.body));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: {} });
});

test('a body that is not JSON', async () => {
  await expectUnreadable('cats, please', 'expected JSON');
});

test('an empty message', async () => {
  await expectUnreadable(' ', 'expected JSON');
  await expectUnreadable('{}', 'expected v, url');
  await expectUnreadable('{"images":[]}', '1 to 1000');
  await expectUnreadable(bodyOf([]), 'images');
});

test('an unknown v', async () => {
  await expectUnreadable(JSON.stringify({ ...JSON.parse(bodyOf([trial.good('a')])), v: 2 }), 'at v');
});

test('an id repeated with different URLs', async () => {
  await expectUnreadable(
    bodyOf([trial.good('a'), { ...trial.good('a'), url: trial.pictures.url('/b') }]),
    'each id once',
  );
});

async function expectUnreadable(text: string, reason: string): Promise<void> {
  const before = trial.pictures.requests;
  await trial.aws.send(text);
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(trial.aws.deadLetters()).toMatchObject([
    { body: text, attributes: { reason: expect.stringContaining(reason) } },
  ]);
  expect(trial.aws.queued()).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: [], failed: {} });
  expect(trial.pictures.requests).toBe(before);
  trial.aws.clear();
}

test('an id repeated with the same URL', async () => {
  await trial.aws.send(bodyOf([trial.good('a'), trial.missing(), trial.good('a'), trial.missing()]));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(await trial.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(await trial.aws.results('job')).toHaveLength(1);
  expect(trial.inDeadLetters()).toEqual(['missing']);
});

test('a test event of S3', async () => {
  await trial.aws.send(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'photos' }));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(trial.aws.queued()).toEqual([]);
  expect(trial.aws.deadLetters()).toEqual([]);
});

test('1,000 images in a message', async () => {
  const images = Array.from({ length: 1_000 }, (_, index) => trial.good(`image-${index}`));
  await trial.aws.send(bodyOf(images));
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect((await trial.seen()).classified).toEqual(images.map(({ id }) => id).toSorted());
  expect(await trial.aws.partKeys('results', 'job')).toEqual([expect.stringMatching(/-n1000-t\d+x1769\.jsonl$/)]);
}, 120_000);

test('a message of 1 MiB', async () => {
  for (const [image, attempt] of [
    [trial.good('good'), 1],
    [trial.busy(), 4],
    [trial.missing(), 1],
  ] as const) {
    await trial.aws.send(filledBody(image, attempt));
  }
  expect((await trial.deliver()).unacknowledged).toEqual([]);
  expect(trial.aws.queued().map(({ body }) => Buffer.byteLength(body))).toEqual([MAX_MESSAGE_BYTES]);
  await trial.deliverAll();
  expect(await trial.seen()).toEqual({ classified: ['good'], failed: { missing: 'not_found', busy: 'server_error' } });
  expect(trial.inDeadLetters()).toEqual(['busy', 'missing']);
});

/** A message of one image that takes all the room there is. */
function filledBody(image: ImageRef, attempt: number): string {
  // Its count of hops has as many digits as that of the retry.
  const envelope = { job: 'job', attempt, hops: MAX_HOPS - 1 };
  const filled = (filler: string) => formatMessage({ ...envelope, images: [{ ...image, meta: { filler } }] });
  return filled('x'.repeat(MAX_MESSAGE_BYTES - Buffer.byteLength(filled(''))));
}

describe('an image is too large to be sent again', () => {
  // Another producer's form has room for more than the product's own, which names the id as well.
  const large = ({ url }: ImageRef) => {
    const filled = (filler: string) => JSON.stringify({ url, meta: { filler } });
    return filled('x'.repeat(MAX_MESSAGE_BYTES - filled('').length));
  };

  test.each([
    ['that failed', () => trial.missing(), 'not_found'],
    ['that shall be retried', () => trial.busy(), 'worker_crashed'],
  ])('%s', async (_what, image, code) => {
    await trial.aws.send(large(image()));
    for (let delivery = 0; delivery < MAX_RECEIVE_COUNT; delivery++) {
      expect((await trial.deliver()).unacknowledged).toHaveLength(1);
    }
    expect(await trial.receive()).toEqual([]);
    expect(await trial.seen('default')).toEqual({ classified: [], failed: { [image().url]: code } });
    expect(trial.aws.deadLetters().map((letter) => letter.body === large(image()))).toEqual([true]);
  });
});
