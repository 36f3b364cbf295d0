import { afterEach, expect, test } from '@jest/globals';
import type { Pipeline } from '../../../shared/classifier/classify-images.ts';
import { ApartQueue } from '../../../shared/classifier/decode/apart-queue.ts';
import { PutOff } from '../../../shared/classifier/put-off.ts';
import { MAX_EXPENSIVE_IMAGES, MAX_HOPS } from '../../../shared/contract/limits.ts';
import { formatMessage, type QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { readOutcomes } from '../../../shared/jobs/read-outcomes.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { greyPng, readPhoto } from '../../classifier/pictures.ts';
import { deliver } from '../../support/deliveries.ts';
import { withJpegSegments } from '../../support/expensive-images.ts';
import { createInjectedWorker, type Injected } from '../../support/injected-worker.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

/** What an invocation has time for; without sharing out, twelve links have time for a fifth of the images. */
const IMAGES_PER_INVOCATION = MAX_EXPENSIVE_IMAGES;
const IMAGES = 600;

const cheap = greyPng(8, 8, Buffer.alloc(8 * (1 + 8)));
const expensive = withJpegSegments(await readPhoto('coffee.jpg'), 10_001);
const [aws] = await sharedByTests(startTestAws());
afterEach(() => aws.clear());

/** Delivers until the queue is empty. @returns how often each image was delivered at most */
async function mostLinks(injected: (left: { count: number }) => Injected): Promise<number> {
  const images = Array.from({ length: IMAGES }, (_, number) => ({
    id: `image-${number}`,
    url: `https://host-${number % 7}.example/${number}`,
  }));
  await aws.send(formatMessage({ job: 'job', attempt: 1, images }));
  const left = { count: 0 };
  await using worker = createInjectedWorker(aws, [], { retryBaseSeconds: 0, ...injected(left) });
  const links = new Map<string, number>();
  while (aws.queued().length > 0) {
    left.count = IMAGES_PER_INVOCATION;
    const { records } = await deliver(aws, {
      invoke: async ({ Records }) => ({
        batchItemFailures: (await worker.process(Records)).map((itemIdentifier) => ({ itemIdentifier })),
      }),
    });
    for (const { body } of records) {
      for (const { id } of (parseMessage(body) as QueueMessage).images) links.set(id, (links.get(id) ?? 0) + 1);
    }
  }
  expect(links.size).toBe(IMAGES);
  return Math.max(...links.values());
}

/** Images each of which takes a tenth of an invocation to fetch. */
function slowToFetch(left: { count: number }): Injected {
  let deadline = new AbortController();
  let fetching = 0;
  const endIfNothingElse = () => {
    if (left.count === 0 && fetching === 0) deadline.abort();
  };
  const fetch: Pipeline['fetch'] = (_url, signal) => {
    if (left.count > 0) {
      left.count--;
      fetching++;
      return Promise.resolve(cheap);
    }
    setImmediate(endIfNothingElse);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  return {
    fetch,
    signal() {
      deadline = new AbortController();
      return deadline.signal;
    },
    infer(pictures) {
      fetching -= pictures.length;
      setImmediate(endIfNothingElse);
      return pictures.map(() => [{ label: 'cat', score: 1, classId: 0 }]);
    },
  };
}

/** Images each of which takes a tenth of an invocation to decode. */
function slowToDecode(left: { count: number }): Injected {
  class Decoder extends ApartQueue {
    override async decode() {
      if (left.count === 0) return new PutOff('decoder_busy', 0, 'expected the decoder to be free');
      left.count--;
      return { pixels: new Uint8Array(8 * 8 * 3), size: { width: 8, height: 8 } };
    }
  }
  return { apart: new Decoder(), fetch: async () => expensive };
}

test.each([
  ['fetch', slowToFetch],
  ['decode', slowToDecode],
])(
  'many images that take long to %s have their results before the end of their chain',
  async (_what, injected) => {
    const links = await mostLinks(injected);
    const { results, failures } = await readOutcomes(aws.target, 'job');
    expect({ results: results.size, failures: failures.size }).toEqual({ results: IMAGES, failures: 0 });
    expect(links).toBeLessThanOrEqual(MAX_HOPS + 1);
  },
  240_000,
);
