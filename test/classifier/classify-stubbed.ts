import sharp from 'sharp';
import { classifyImages, type ImageOutcome, type Pipeline } from '../../shared/classifier/classify-images.ts';
import type { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';

/** A photo of one colour. */
export const photo = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

export type Fetch = Pipeline['fetch'];
export type Infer = Pipeline['classifier']['infer'];
export type Image = { id: number; url: string };

export const never = new AbortController().signal;

/** A turn of the event loop: time for what is ready to happen. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const givesLabels: Infer = (images) => images.map(() => [{ label: 'red', score: 1, classId: 0 }]);

/** Real decoding, with a network and a model that do as they are told. */
export async function classify(
  images: Image[],
  {
    fetch,
    hosts,
    infer = givesLabels,
    signal = never,
  }: { fetch: Fetch; hosts?: HostHealth; infer?: Infer; signal?: AbortSignal },
) {
  const outcomes = new Map<Image, ImageOutcome[]>();
  const batchSizes: number[] = [];
  const stages: string[] = [];
  const classifier = {
    id: { name: 'test', version: '1' },
    format: { name: 'test', version: '1', inputSize: 8, crop: 1, interpolation: 'linear' as const },
    infer,
    dispose: () => {},
  } as unknown as Pipeline['classifier'];
  const pipeline: Pipeline = { fetch, classifier, topK: 1, ...(hosts && { hosts }), close: async () => {} };
  const record = (image: Image, outcome: ImageOutcome) => {
    outcomes.set(image, [...(outcomes.get(image) ?? []), outcome]);
  };
  const observe = { stage: (stage: string) => stages.push(stage), batch: (size: number) => batchSizes.push(size) };
  await classifyImages(images, pipeline, { onOutcome: record, signal, observe });
  return { outcomes: images.map((image) => outcomes.get(image) ?? []), batchSizes, stages };
}

/** As many images, in turn on as many hosts. */
export function imagesOn(hosts: number, count: number): Image[] {
  return Array.from({ length: count }, (_, id) => ({ id, url: `https://host-${id % hosts}.example/${id}.jpg` }));
}

export function codes(outcomes: ImageOutcome[][]): string[] {
  return outcomes.map((all) =>
    all.map((one) => (one instanceof ImageFailure ? one.code : one === 'not_reached' ? one : 'classified')).join('+'),
  );
}
