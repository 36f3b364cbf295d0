import { describe, expect, jest, test } from '@jest/globals';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { ABANDON_AFTER_MS, IMAGES_IN_FLIGHT, INFERENCE_BATCH_SIZE } from '../../shared/contract/limits.ts';
import { classify, codes, type Fetch, givesLabels, imagesOn, photo } from './classify-stubbed.ts';

test('every image gets one outcome, with its labels and facts', async () => {
  const { outcomes } = await classify(imagesOn(10, 100), { fetch: async () => photo });
  expect(codes(outcomes)).toEqual(Array(100).fill('classified'));
  expect(outcomes[0]?.[0]).toMatchObject({
    labels: [{ label: 'red', score: 1, classId: 0 }],
    image: { width: 16, height: 16, format: 'png', bytes: photo.length },
  });
});

test('without images there is no outcome, and it ends', async () => {
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

  test('an image that TensorFlow refuses alone, too, fails', async () => {
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
  test('before the start, nothing is fetched and no image is reached', async () => {
    const fetch = jest.fn<Fetch>();
    const { outcomes } = await classify(imagesOn(2, 5), { fetch, signal: AbortSignal.abort() });
    expect(codes(outcomes)).toEqual(Array(5).fill('not_reached'));
    expect(fetch).not.toHaveBeenCalled();
  });

  test('finished images keep their outcomes, the others are not reached, each once', async () => {
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

  test('an image that is being decoded is still classified', async () => {
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

  test('an image that cannot be aborted is awaited for the configured time only, and gets no outcome', async () => {
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
