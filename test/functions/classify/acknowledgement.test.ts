/** Cases of `docs/acknowledgement.md`: each test has the name of its row. Here: messages and their outcomes. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { MAX_HOPS, MAX_MESSAGE_BYTES, MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import { formatMessage, type ImageRef } from '../../../shared/contract/message.ts';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [harness] = await sharedByTests(startHarness());
afterEach(() => harness.reset());

test('all images are classified', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.good('b')]));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a', 'b'], failed: {} });
  expect(harness.inQueue()).toEqual([]);
  expect(harness.aws.deadLetters()).toEqual([]);
});

test('some images have failed', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing(), harness.good('b')]));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a', 'b'], failed: { missing: 'not_found' } });
  expect(harness.inQueue()).toEqual([]);
  expect(harness.inDeadLetters()).toEqual(['missing']);
});

test('a retryable error before the fifth attempt', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.busy()], 4));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: {} });
  expect(harness.inQueue()).toEqual([{ ids: ['busy'], attempt: 5, hops: 1, receiveCount: 0, delaySeconds: 0 }]);
  expect(harness.aws.deadLetters()).toEqual([]);
});

test('a retryable error at the fifth attempt', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.busy()], 5));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { busy: 'server_error' } });
  expect(harness.inQueue()).toEqual([]);
  expect(harness.inDeadLetters()).toEqual(['busy']);
});

test('a dead letter is moved back to the queue', async () => {
  await harness.aws.send(bodyOf([{ id: 'a', url: harness.misbehaving.url('/once/404/redriven') }]));
  await harness.deliver();
  expect(await harness.seen()).toEqual({ classified: [], failed: { a: 'not_found' } });
  await harness.aws.send(...harness.aws.deadLetters().map((letter) => letter.body));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: {} });
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
  await expectUnreadable(JSON.stringify({ ...JSON.parse(bodyOf([harness.good('a')])), v: 2 }), 'at v');
});

test('an id repeated with different URLs', async () => {
  await expectUnreadable(
    bodyOf([harness.good('a'), { ...harness.good('a'), url: harness.pictures.url('/b') }]),
    'each id once',
  );
});

async function expectUnreadable(text: string, reason: string): Promise<void> {
  const before = harness.pictures.requests;
  await harness.aws.send(text);
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(harness.aws.deadLetters()).toMatchObject([
    { body: text, attributes: { reason: expect.stringContaining(reason) } },
  ]);
  expect(harness.aws.queued()).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: [], failed: {} });
  expect(harness.pictures.requests).toBe(before);
  harness.aws.clear();
}

test('an id repeated with the same URL', async () => {
  await harness.aws.send(bodyOf([harness.good('a'), harness.missing(), harness.good('a'), harness.missing()]));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(await harness.seen()).toEqual({ classified: ['a'], failed: { missing: 'not_found' } });
  expect(await harness.aws.results('job')).toHaveLength(1);
  expect(harness.inDeadLetters()).toEqual(['missing']);
});

test('a test event of S3', async () => {
  await harness.aws.send(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'photos' }));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(harness.aws.queued()).toEqual([]);
  expect(harness.aws.deadLetters()).toEqual([]);
});

test('1,000 images in a message', async () => {
  const images = Array.from({ length: 1_000 }, (_, index) => harness.good(`image-${index}`));
  await harness.aws.send(bodyOf(images));
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect((await harness.seen()).classified).toEqual(images.map(({ id }) => id).toSorted());
  expect(await harness.aws.partKeys('results', 'job')).toEqual([expect.stringMatching(/-n1000-t\d+x1769\.jsonl$/)]);
}, 120_000);

test('a message of 1 MiB', async () => {
  for (const [image, attempt] of [
    [harness.good('good'), 1],
    [harness.busy(), 4],
    [harness.missing(), 1],
  ] as const) {
    await harness.aws.send(filledBody(image, attempt));
  }
  expect((await harness.deliver()).unacknowledged).toEqual([]);
  expect(harness.aws.queued().map(({ body }) => Buffer.byteLength(body))).toEqual([MAX_MESSAGE_BYTES]);
  await harness.deliverAll();
  expect(await harness.seen()).toEqual({
    classified: ['good'],
    failed: { missing: 'not_found', busy: 'server_error' },
  });
  expect(harness.inDeadLetters()).toEqual(['busy', 'missing']);
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
    ['that failed', () => harness.missing(), 'not_found'],
    ['that shall be retried', () => harness.busy(), 'worker_crashed'],
  ])('%s', async (_what, image, code) => {
    await harness.aws.send(large(image()));
    for (let delivery = 0; delivery < MAX_RECEIVE_COUNT; delivery++) {
      expect((await harness.deliver()).unacknowledged).toHaveLength(1);
    }
    expect(await harness.receive()).toEqual([]);
    expect(await harness.seen('default')).toEqual({ classified: [], failed: { [image().url]: code } });
    expect(harness.aws.deadLetters().map((letter) => letter.body === large(image()))).toEqual([true]);
  });
});
