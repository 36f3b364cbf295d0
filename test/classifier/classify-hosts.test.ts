import { expect, jest, test } from '@jest/globals';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_FETCHES_PER_HOST } from '../../shared/contract/limits.ts';
import { classify, codes, type Fetch, givesLabels, imagesOn, photo, turn } from './classify-stubbed.ts';

test('a host gets at most eight requests at once, while others go on', async () => {
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

test('images on a responsive host are done before many hanging hosts of the same job have timed out twice', async () => {
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

test('a resting host gets no request in later calls either, until its rest is over', async () => {
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

test('without host health, every image is fetched, whatever its host did', async () => {
  const { waves, fetch, until } = hangingFetches();
  const { outcomes } = await until(classify(imagesOn(1, 40), { fetch }));
  expect(waves.flat()).toHaveLength(40);
  expect(codes(outcomes)).toEqual(Array(40).fill('timeout'));
});
