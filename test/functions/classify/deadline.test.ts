/** A case of `docs/acknowledgement.md`: the test has the name of its row. */
import { expect, test } from '@jest/globals';
import { bodyOf, startHarness } from '../../support/acknowledgement-harness.ts';

const IMAGES = 1_000;
const SECONDS_LEFT = 15;
/** Of one host, 8 images are fetched at once: far from all of them can be had in time. */
const MS_AN_IMAGE = 400;

test('the deadline comes before all images are done', async () => {
  await using harness = await startHarness();
  const worker = await harness.startWorker({ timeoutSeconds: SECONDS_LEFT });
  try {
    const ids = Array.from({ length: IMAGES }, (_, index) => `image-${index}`).toSorted();
    await harness.aws.send(bodyOf(ids.map(harness.good), 3));
    harness.pictures.delayMs = MS_AN_IMAGE;

    const { unacknowledged, functionError } = await harness.deliver(worker);

    // What is done is written and acknowledged, the rest is on the queue as it was, in two messages of half of it each.
    expect({ unacknowledged, functionError }).toEqual({ unacknowledged: [] });
    const halves = harness.inQueue();
    expect(halves).toEqual([
      expect.objectContaining({ attempt: 3, hops: 1, receiveCount: 0, delaySeconds: 0 }),
      expect.objectContaining({ attempt: 3, hops: 1, receiveCount: 0, delaySeconds: 0 }),
    ]);
    const [more = [], less = []] = halves.map(({ ids }) => ids);
    expect(more.length - less.length).toBeLessThanOrEqual(1);
    const done = (await harness.aws.results('job')).map(({ id }) => id);
    expect(done.length).toBeGreaterThan(0);
    expect(less.length).toBeGreaterThan(0);
    expect([...done, ...more, ...less].toSorted()).toEqual(ids);

    harness.pictures.delayMs = 0;
    await harness.deliverAll();

    // All lines, as they are: no image has two.
    expect((await harness.aws.results('job')).map(({ id }) => id).toSorted()).toEqual(ids);
    expect(await harness.seen()).toEqual({ classified: ids, failed: {} });
    expect(harness.aws.deadLetters()).toEqual([]);
  } finally {
    await worker.shutDown();
  }
}, 180_000);
