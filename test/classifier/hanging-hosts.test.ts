import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { classifyImages, type ImageOutcome, type Pipeline } from '../../shared/classifier/classify-images.ts';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { createHttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { IMAGES_IN_FLIGHT } from '../../shared/contract/limits.ts';
import { type SwitchableHosts, startSwitchableHosts } from '../support/switchable-hosts.ts';
import { FORMAT } from './pictures.ts';

/** Far longer than healthy images take, on a busy machine too. */
const FETCH_TIMEOUT_MS = 15_000;

let healthy: SwitchableHosts;
let hanging: SwitchableHosts[];

beforeAll(async () => {
  healthy = await startSwitchableHosts(1, 'answer');
  hanging = await Promise.all(
    (['hang', 'stall', 'drip'] as const).map((behaviour) => startSwitchableHosts(20, behaviour)),
  );
});
afterAll(async () => {
  await Promise.all([healthy, ...hanging].map((hosts) => hosts[Symbol.asyncDispose]()));
});

function pipelineOf(fetch: Pipeline['fetch']): Pipeline {
  const infer = (pictures: readonly Uint8Array[]) => pictures.map(() => [{ label: 'a', score: 1, classId: 0 }]);
  const classifier = { format: FORMAT, infer } as unknown as Pipeline['classifier'];
  return { fetch, classifier, topK: 1, hosts: new HostHealth(FETCH_TIMEOUT_MS), close: async () => {} };
}

test('more hanging unknown hosts than fetch slots delay no other image by a fetch timeout', async () => {
  const http = createHttpClient([healthy, ...hanging].flatMap(({ hosts }) => hosts));
  const sources = { http, s3: createObjectReader(new S3Client({}), []) };
  const stop = new AbortController();
  const order: string[] = [];
  const onOutcome = ({ id }: { id: string }, outcome: ImageOutcome) => {
    order.push(`${id.split('-')[0]} ${outcome instanceof ImageFailure ? outcome.code : 'done'}`);
    if (order.length === 20) stop.abort();
  };
  const hostile = hanging.flatMap((hosts) => hosts.images('hanging', 20));
  expect(hostile.length).toBeGreaterThan(IMAGES_IN_FLIGHT);
  const fetch: Pipeline['fetch'] = (url, signal, beforeContent) =>
    fetchImage(url, sources, signal, { timeoutMs: FETCH_TIMEOUT_MS, beforeContent });
  await classifyImages([...hostile, ...healthy.images('healthy', 20)], pipelineOf(fetch), {
    signal: stop.signal,
    onOutcome,
  });
  await http.close();
  expect(order.slice(0, 20)).toEqual(Array(20).fill('healthy done'));
}, 60_000);

test('when all slow servers send at once, at most 40 images are held', async () => {
  const count = 2 * IMAGES_IN_FLIGHT;
  const allAsked = Promise.withResolvers<void>();
  let asked = 0;
  let held = 0;
  let most = 0;
  const fetch: Pipeline['fetch'] = async (_url, _signal, beforeContent) => {
    if (++asked === count) allAsked.resolve();
    await allAsked.promise;
    await beforeContent?.();
    most = Math.max(most, ++held);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new ImageFailure('not_found', 'expected status 200, got 404');
  };
  const images = Array.from({ length: count }, (_, number) => ({ url: `https://host-${number}.example/` }));
  await classifyImages(images, pipelineOf(fetch), { onOutcome: () => held-- });
  expect(asked).toBe(count);
  expect(most).toBeLessThanOrEqual(IMAGES_IN_FLIGHT);
}, 60_000);
