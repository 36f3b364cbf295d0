import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import { classifyImages, type ImageOutcome, type Pipeline } from '../../shared/classifier/classify-images.ts';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import {
  ABANDON_AFTER_MS,
  IMAGES_IN_FLIGHT,
  INFERENCE_BATCH_SIZE,
  MAX_FETCHES_PER_HOST,
} from '../../shared/contract/limits.ts';

let photo: Buffer;
beforeAll(async () => {
  photo = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
});

type Fetch = Pipeline['fetch'];
type Infer = Pipeline['classifier']['infer'];
type Image = { id: number; url: string };

const never = new AbortController().signal;

/** A turn of the event loop: time for what is ready to happen. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const givesLabels: Infer = (images) => images.map(() => [{ label: 'red', score: 1, classId: 0 }]);

/** Real decoding, with a network and a model that do as they are told. */
async function classify(
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
function imagesOn(hosts: number, count: number): Image[] {
  return Array.from({ length: count }, (_, id) => ({ id, url: `https://host-${id % hosts}.example/${id}.jpg` }));
}

function codes(outcomes: ImageOutcome[][]): string[] {
  return outcomes.map((all) =>
    all.map((one) => (one instanceof ImageFailure ? one.code : one === 'not_reached' ? one : 'classified')).join('+'),
  );
}

test('every image gets one outcome, with its labels and facts', async () => {
  const { outcomes } = await classify(imagesOn(10, 100), { fetch: async () => photo });
  expect(codes(outcomes)).toEqual(Array(100).fill('classified'));
  expect(outcomes[0]?.[0]).toMatchObject({
    labels: [{ label: 'red', score: 1, classId: 0 }],
    image: { width: 16, height: 16, format: 'png', bytes: photo.length },
  });
});

test('of no images there is no outcome, and it ends', async () => {
  const fetch = jest.fn<Fetch>();
  expect((await classify([], { fetch })).outcomes).toEqual([]);
  expect(fetch).not.toHaveBeenCalled();
});

test('images share full batches, and every image is in exactly one', async () => {
  const { batchSizes } = await classify(imagesOn(10, 80), { fetch: async () => photo });
  expect(batchSizes.reduce((sum, size) => sum + size, 0)).toBe(80);
  expect(Math.max(...batchSizes)).toBe(INFERENCE_BATCH_SIZE);
  expect(batchSizes.length).toBeLessThan(40);
});

test('the same image twice is two images', async () => {
  const image = { id: 1, url: 'https://host.example/1.jpg' };
  const { outcomes } = await classify([image, { ...image }], { fetch: async () => photo });
  expect(codes(outcomes)).toEqual(['classified', 'classified']);
});

test('no more than 32 images are in memory at once, however many there are', async () => {
  let started = 0;
  let most = 0;
  let inferred = 0;
  await classify(imagesOn(50, 300), {
    fetch: async () => {
      started++;
      most = Math.max(most, started - inferred);
      return photo;
    },
    infer: (images, k) => {
      inferred += images.length;
      return givesLabels(images, k);
    },
  });
  expect(inferred).toBe(300);
  expect(most).toBeLessThanOrEqual(IMAGES_IN_FLIGHT);
  expect(most).toBeGreaterThan(IMAGES_IN_FLIGHT / 2);
});

test('a host is asked for no more than eight images at once, while others go on', async () => {
  const waiting: (() => void)[] = [];
  const { promise: othersDone, resolve: allOthersDone } = Promise.withResolvers<void>();
  let others = 0;
  const slow = Array.from({ length: 40 }, (_, id) => ({ id, url: `https://slow.example/${id}.jpg` }));
  const classifying = classify([...slow, ...imagesOn(20, 60)], {
    fetch: async (url) => {
      if (!url.includes('slow')) {
        if (++others === 60) allOthersDone();
        return photo;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
      return photo;
    },
  });
  await othersDone;
  while (waiting.length < MAX_FETCHES_PER_HOST) await turn();
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(waiting).toHaveLength(MAX_FETCHES_PER_HOST);
  for (let freed = 0; freed < slow.length; freed++) {
    while (waiting[freed] === undefined) await turn();
    waiting[freed]?.();
  }
  expect(codes((await classifying).outcomes)).toEqual(Array(100).fill('classified'));
});

/** Fetches that hang until all of them time out at once, a wave after the other; the URLs of each wave. */
function hangingFetches() {
  const waves: string[][] = [];
  const underWay: { url: string; timeOut: () => void }[] = [];
  const fetch: Fetch = (url) =>
    new Promise((resolve) => {
      underWay.push({ url, timeOut: () => resolve(new ImageFailure('timeout', 'expected the whole image in time')) });
    });
  const timeOut = () => {
    waves.push(underWay.map(({ url }) => url));
    for (const { timeOut } of underWay.splice(0)) timeOut();
  };
  /** Once nothing else happens any more, all that hang time out, until the promise is settled. */
  const until = async <Result>(promise: Promise<Result>, isBusy = () => false): Promise<Result> => {
    let settled = false;
    const settle = promise.finally(() => {
      settled = true;
    });
    for (let idle = 0, before = -1; !settled; idle++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (underWay.length !== before || isBusy()) idle = 0;
      before = underWay.length;
      if (idle > 10) timeOut();
    }
    return settle;
  };
  return { waves, fetch, until };
}

test('of a job, images on a host that answers are done before many hosts that hang have timed out twice', async () => {
  const { waves, fetch, until } = hangingFetches();
  const healthy = Array.from({ length: 20 }, (_, id) => ({ id, url: `https://healthy.example/${id}.jpg` }));
  const wavesBefore: number[] = [];
  const hosts = new HostHealth(10_000);
  let inferred = 0;
  const classifying = classify([...imagesOn(58, 986), ...healthy], {
    hosts,
    fetch: (url, signal) => {
      if (!url.includes('healthy')) return fetch(url, signal);
      wavesBefore.push(waves.length);
      return Promise.resolve(photo);
    },
    infer: (images, k) => {
      inferred += images.length;
      return givesLabels(images, k);
    },
  });
  const { outcomes } = await until(classifying, () => wavesBefore.length > inferred);
  expect(wavesBefore).toHaveLength(20);
  expect(Math.max(...wavesBefore)).toBeLessThanOrEqual(1);
  expect(
    outcomes
      .slice(986)
      .flat()
      .every((outcome) => outcome instanceof Object && 'labels' in outcome),
  ).toBe(true);
  // Each host that hangs is asked a few times, and then left to rest.
  expect(waves.flat().length).toBeLessThan(58 * 6);
  const resting = outcomes.flat().filter((outcome) => outcome instanceof PutOff);
  expect(resting).toHaveLength(986 - waves.flat().length);
});

test('a host that rests is left alone in later calls too, until its rest is over', async () => {
  const clock = { now: 0 };
  const hosts = new HostHealth(10_000, () => clock.now);
  const { waves, fetch, until } = hangingFetches();
  await until(classify(imagesOn(1, 20), { hosts, fetch }));
  const asked = waves.flat().length;
  const unexpected = jest.fn<Fetch>();
  const { outcomes } = await classify(imagesOn(1, 20), { hosts, fetch: unexpected });
  expect(unexpected).not.toHaveBeenCalled();
  expect(outcomes.flat().every((outcome) => outcome instanceof PutOff)).toBe(true);
  expect(asked).toBeLessThanOrEqual(MAX_FETCHES_PER_HOST);
  clock.now += 30_000;
  expect(codes((await classify(imagesOn(1, 20), { hosts, fetch: async () => photo })).outcomes)).toEqual(
    Array(20).fill('classified'),
  );
});

test('without a memory of hosts every image is fetched, whatever its host did', async () => {
  const { waves, fetch, until } = hangingFetches();
  const { outcomes } = await until(classify(imagesOn(1, 40), { fetch }));
  expect(waves.flat()).toHaveLength(40);
  expect(codes(outcomes)).toEqual(Array(40).fill('timeout'));
});

describe('one bad image does not stop the others:', () => {
  test.each<[string, Fetch, string]>([
    ['it cannot be fetched', async () => new ImageFailure('not_found', 'expected status 200, got 404'), 'not_found'],
    ['it cannot be decoded', async () => Buffer.from('no image'), 'not_an_image'],
    ['its fetch has a defect', () => Promise.reject(new TypeError('a defect')), 'internal_error'],
    ['its fetch throws what is no error', () => Promise.reject('a string'), 'internal_error'],
  ])('%s', async (_case, bad, code) => {
    const { outcomes } = await classify(imagesOn(3, 20), {
      fetch: (url, signal) => (url.endsWith('/7.jpg') ? bad(url, signal) : Promise.resolve(photo)),
    });
    expect(codes(outcomes)).toEqual(Array.from({ length: 20 }, (_, id) => (id === 7 ? code : 'classified')));
  });

  test('a batch that TensorFlow refuses as a whole is classified image by image', async () => {
    let batches = 0;
    const { outcomes } = await classify(imagesOn(10, 40), {
      fetch: async () => photo,
      infer: (images, k) => {
        if (++batches === 2) throw new Error('refused');
        return givesLabels(images, k);
      },
    });
    expect(codes(outcomes)).toEqual(Array(40).fill('classified'));
  });

  test('what TensorFlow refuses alone as well fails', async () => {
    const { outcomes } = await classify(imagesOn(10, 40), {
      fetch: async () => photo,
      infer: () => {
        throw new Error('refused');
      },
    });
    expect(codes(outcomes)).toEqual(Array(40).fill('inference_failed'));
  });
});

describe('when the signal is aborted', () => {
  test('before the start, nothing is fetched and nothing reached', async () => {
    const fetch = jest.fn<Fetch>();
    const { outcomes } = await classify(imagesOn(2, 5), { fetch, signal: AbortSignal.abort() });
    expect(codes(outcomes)).toEqual(Array(5).fill('not_reached'));
    expect(fetch).not.toHaveBeenCalled();
  });

  test('what is done stays done, what is under way or waits is not reached, each image once', async () => {
    const controller = new AbortController();
    let fetches = 0;
    const { outcomes } = await classify(imagesOn(20, 100), {
      signal: controller.signal,
      fetch: (_url, signal) => {
        if (++fetches <= 10) return Promise.resolve(photo);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          if (fetches === IMAGES_IN_FLIGHT) setImmediate(() => controller.abort());
        });
      },
    });
    const given = codes(outcomes);
    const classified = given.filter((code) => code === 'classified').length;
    expect(classified).toBeLessThanOrEqual(10);
    expect(given.filter((code) => code === 'not_reached')).toHaveLength(100 - classified);
    expect(fetches).toBeLessThan(100);
  });

  test('what is being decoded is still classified', async () => {
    const controller = new AbortController();
    const { outcomes } = await classify(imagesOn(1, 1), {
      signal: controller.signal,
      fetch: async () => {
        setImmediate(() => controller.abort());
        return photo;
      },
    });
    expect(codes(outcomes)).toEqual(['classified']);
  });

  test('an image that nothing can break off is waited for no longer than told, and gets no outcome', async () => {
    jest.useFakeTimers();
    try {
      const controller = new AbortController();
      const classifying = classify(imagesOn(2, 1), { signal: controller.signal, fetch: () => new Promise(() => {}) });
      controller.abort();
      jest.advanceTimersByTime(ABANDON_AFTER_MS);
      expect(codes((await classifying).outcomes)).toEqual(['']);
    } finally {
      jest.useRealTimers();
    }
  });
});

test('each stage of each image is timed', async () => {
  const { stages } = await classify(imagesOn(2, 3), { fetch: async () => photo });
  expect(stages.toSorted()).toEqual([...Array(3).fill('decode'), ...Array(3).fill('fetch'), ...Array(3).fill('infer')]);
});
