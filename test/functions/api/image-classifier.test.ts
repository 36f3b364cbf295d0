import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Pipeline } from '../../../shared/classifier/classify-images.ts';
import { createImageClassifier } from '../../../shared/classifier/image-classifier.ts';
import type { Classification } from '../../../shared/contract/result-line.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { createTestPipeline } from '../../support/test-worker.ts';

const PHOTO = join(import.meta.dirname, '../../../samples/photos/coffee.jpg');

let aws: TestAws;
let pipeline: Pipeline;
beforeAll(async () => {
  aws = await startTestAws();
  pipeline = await createTestPipeline(aws.target, '127.0.0.1:1');
});
afterAll(async () => {
  await pipeline.close();
  await aws.stop();
});

const never = () => new Promise<never>(() => {});
const ESPRESSO = expect.objectContaining({
  labels: expect.arrayContaining([expect.objectContaining({ label: 'espresso' })]),
});

test('an image that takes too long is aborted, and delays no other', async () => {
  const classifier = createImageClassifier(pipeline.classifier, 5, () => {});
  const deadline = new AbortController();
  const stuck = classifier.classify(never, () => {}, deadline.signal);
  const photo = await readFile(PHOTO);
  const other = await classifier.classify(
    async () => photo,
    () => {},
    new AbortController().signal,
  );
  expect(other).toEqual(ESPRESSO);
  deadline.abort();
  expect(await stuck).toBe('deadline');
  expect(
    await classifier.classify(
      async () => photo,
      () => {},
      deadline.signal,
    ),
  ).toBe('deadline');
  const next = await classifier.classify(
    async () => photo,
    () => {},
    new AbortController().signal,
  );
  expect(next).toEqual(ESPRESSO);
});

test('concurrent images share a batch, and each has the maximum number of labels', async () => {
  const sizes: number[] = [];
  const classifier = createImageClassifier(pipeline.classifier, 100, (images) => sizes.push(images));
  const photo = await readFile(PHOTO);
  const { signal } = new AbortController();
  const outcomes = await Promise.all(
    Array.from({ length: 16 }, () =>
      classifier.classify(
        async () => photo,
        () => {},
        signal,
      ),
    ),
  );
  for (const outcome of outcomes) expect((outcome as Classification).labels).toHaveLength(100);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(16);
  expect(sizes.length).toBeLessThan(16);
});
