import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { costOfJob, idleUsdOfMonth } from '../../bench/scale/cost.ts';
import type { Bound, ProvisionedPollers, Scenario } from '../../bench/scale/scenario.ts';
import { DEPLOYED } from '../../bench/scale/scenarios.ts';
import { simulate } from '../../bench/scale/simulate.ts';
import { costOfImages } from '../../shared/cost.ts';
import { seed } from '../contract/seed.ts';

const MILLION = 1_000_000;

function job(changes: Partial<Scenario> = {}): Scenario {
  return { ...DEPLOYED, images: MILLION, ...changes };
}

function onDemand(maximumConcurrency: number): Pick<Scenario, 'pollers'> {
  return { pollers: { kind: 'on demand', maximumConcurrency } };
}

function provisioned(minimum: number, maximum: number): { pollers: ProvisionedPollers } {
  return { pollers: { kind: 'provisioned', minimum, maximum } };
}

/** One image a message, of 120 bytes. */
const SMALL = { imagesPerMessage: 1, bytesPerMessage: 120 };
const LARGE_ACCOUNT = { accountConcurrency: 20_000 };

const anyPollers = fc.oneof(
  fc.record({ kind: fc.constant('on demand' as const), maximumConcurrency: fc.integer({ min: 1, max: 1_500 }) }),
  fc
    .tuple(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 0, max: 300 }))
    .map(([minimum, more]) => provisioned(minimum, minimum + more).pollers),
);

const anyJob: fc.Arbitrary<Scenario> = fc
  .record({
    images: fc.integer({ min: 1, max: 300_000 }),
    imagesPerMessage: fc.integer({ min: 10, max: 200 }),
    batchSize: fc.integer({ min: 1, max: 20 }),
    batchWindowSeconds: fc.integer({ min: 0, max: 30 }),
    pollers: anyPollers,
    accountConcurrency: fc.integer({ min: 1, max: 20_000 }),
    secondsPerImage: fc.double({ min: 0.001, max: 0.02, noNaN: true }),
    coldStartSeconds: fc.double({ min: 0, max: 5, noNaN: true }),
    enqueuedPerSecond: fc.option(fc.integer({ min: 1_000, max: 100_000 })),
  })
  .map(({ enqueuedPerSecond, ...rest }) => ({
    ...rest,
    bytesPerMessage: rest.imagesPerMessage * 120,
    ...(enqueuedPerSecond !== null && { enqueuedPerSecond }),
  }));

describe('whatever the job and its stage', () => {
  test("each image is done once, and the workers' time is that of the images plus the cold starts", () => {
    const property = fc.property(anyJob, (scenario) => {
      const { imagesDone, lambdaSeconds, coldStarts, peakConcurrency, samples } = simulate(scenario);
      expect(imagesDone).toBe(scenario.images);
      const expected = scenario.images * scenario.secondsPerImage + coldStarts * scenario.coldStartSeconds;
      expect(lambdaSeconds / expected).toBeCloseTo(1, 6);
      expect(coldStarts).toBe(peakConcurrency);
      for (const sample of samples) {
        expect(sample.imagesWaiting).toBeGreaterThanOrEqual(0);
        expect(sample.imagesDone + sample.imagesWaiting).toBeLessThanOrEqual(scenario.images);
      }
      expect(samples.at(-1)).toMatchObject({ concurrency: 0, imagesDone: scenario.images, imagesWaiting: 0 });
    });
    fc.assert(property, { seed });
  });

  test('each second is attributed to exactly one bound', () => {
    const property = fc.property(anyJob, (scenario) => {
      const { seconds, boundSeconds, bottleneck } = simulate(scenario);
      const sum = [...boundSeconds.values()].reduce((total, each) => total + each, 0);
      expect(sum / seconds).toBeCloseTo(1, 6);
      expect(boundSeconds.get(bottleneck)).toBe(Math.max(...boundSeconds.values()));
    });
    fc.assert(property, { seed });
  });

  test('there are never more workers than AWS allows', () => {
    const property = fc.property(anyJob, (scenario) => {
      const { pollers, accountConcurrency } = scenario;
      const [start, perMinute, most] =
        pollers.kind === 'on demand'
          ? [5, 300, Math.min(1_250, pollers.maximumConcurrency)]
          : [pollers.minimum * 10, 1_000, pollers.maximum * 10];
      for (const { seconds, concurrency } of simulate(scenario).samples) {
        expect(concurrency).toBeLessThanOrEqual(start + (perMinute / 60) * seconds + 1e-3);
        expect(concurrency).toBeLessThanOrEqual(Math.min(most, accountConcurrency, 1_000 + 100 * seconds + 1));
      }
    });
    fc.assert(property, { seed });
  });

  test('more concurrency never makes a job slower, except by a cold start', () => {
    const concurrency = fc.integer({ min: 1, max: 500 });
    const property = fc.property(anyJob, concurrency, concurrency, (anything, some, more) => {
      const { enqueuedPerSecond: _, ...scenario } = { ...anything, ...LARGE_ACCOUNT };
      const fewer = simulate({ ...scenario, ...onDemand(some) });
      const many = simulate({ ...scenario, ...onDemand(some + more) });
      expect(many.seconds).toBeLessThanOrEqual(fewer.seconds + scenario.coldStartSeconds + 1e-3);
    });
    fc.assert(property, { seed });
  });
});

describe('how long it takes', () => {
  const secondsPerImage = 0.0161;

  test('two workers do three batches in two rounds, plus their cold starts', () => {
    const three = job({ images: 3_000, secondsPerImage, ...onDemand(2) });
    expect(simulate({ ...three, coldStartSeconds: 0 }).seconds).toBeCloseTo(2 * 16.1, 6);
    expect(simulate({ ...three, coldStartSeconds: 1.5 }).seconds).toBeCloseTo(2 * 16.1 + 1.5, 6);
  });

  test('after a minute on demand there are 305 workers, and 220 + 1,000 with 22 pollers', () => {
    const busy = { images: 100 * MILLION, ...LARGE_ACCOUNT };
    const atOneMinute = (scenario: Scenario) =>
      simulate(scenario).samples.find(({ seconds }) => seconds === 60)?.concurrency ?? 0;
    expect(atOneMinute(job({ ...busy, ...onDemand(1_000) }))).toBe(305);
    const withPollers = atOneMinute(job({ ...busy, ...provisioned(22, 2_000) }));
    expect(withPollers).toBeGreaterThan(1_210);
    expect(withPollers).toBeLessThanOrEqual(1_220);
  });

  test('of 2,000 workers that may start at once, 1,000 do, then 100 per second', () => {
    const { boundSeconds, coldStarts } = simulate(
      job({ images: 2_000 * 1_000, ...provisioned(200, 200), ...LARGE_ACCOUNT }),
    );
    expect(coldStarts).toBe(2_000);
    const untilTheLastStarts = [...boundSeconds].filter(([bound]) => bound !== 'the last invocations');
    expect(untilTheLastStarts.reduce((sum, [, seconds]) => sum + seconds, 0)).toBeCloseTo(10, 1);
    expect(boundSeconds.get('new environments')).toBeGreaterThan(8);
  });

  test('a batch has at most as many messages as fit its payload', () => {
    const { invocations } = simulate(
      job({ images: 5_000, imagesPerMessage: 1, bytesPerMessage: 12_000, batchSize: 10_000, batchWindowSeconds: 1 }),
    );
    expect(invocations).toBe(5_000 / 500);
  });

  test('a batch that is not full waits for its window', () => {
    const few = job({ images: 100, secondsPerImage, batchSize: 20, batchWindowSeconds: 7, coldStartSeconds: 0 });
    expect(simulate(few).seconds).toBeCloseTo(7 + 1.61, 6);
  });

  test('a batch that is too long for an invocation is refused', () => {
    expect(() => simulate(job({ imagesPerMessage: 1_000, secondsPerImage }))).toThrow(
      /one of 10000 images takes 163 s/,
    );
  });
});

const bottlenecks: [Bound, Scenario][] = [
  ['maximum concurrency', job(onDemand(2))],
  ['concurrency of the pollers', job(provisioned(2, 2))],
  ["the account's concurrency", job({ ...onDemand(1_000), accountConcurrency: 10 })],
  ['concurrency of an event source', job({ images: 100 * MILLION, ...onDemand(2_000), ...LARGE_ACCOUNT })],
  ['scaling up', job(onDemand(1_000))],
  [
    'messages in flight',
    job({
      ...SMALL,
      ...onDemand(1_000),
      images: 3 * MILLION,
      batchSize: 1_000,
      batchWindowSeconds: 1,
      secondsPerImage: 0.1,
    }),
  ],
  ['throughput of the pollers', job({ ...SMALL, ...provisioned(2, 2), images: 100_000 })],
  [
    'S3 writes',
    job({
      images: 20 * MILLION,
      imagesPerMessage: 32,
      bytesPerMessage: 3_840,
      secondsPerImage: 0.0097,
      ...provisioned(200, 200),
      ...LARGE_ACCOUNT,
    }),
  ],
  ['enqueueing', job({ enqueuedPerSecond: 100, images: 10_000 })],
  ['the batching window', job({ images: 1_000, batchSize: 1_000, batchWindowSeconds: 300, secondsPerImage: 0.001 })],
  ['the last invocations', job({ images: 100 })],
];

test.each(bottlenecks)('the bottleneck is %s when nothing else is', (bound, scenario) => {
  expect(simulate(scenario).bottleneck).toBe(bound);
});

describe('what it costs', () => {
  test('without cold starts and pollers, a million images cost what the page about cost says', () => {
    const warm = job({ coldStartSeconds: 0 });
    expect(costOfJob(warm, simulate(warm)).totalUsd).toBeCloseTo(costOfImages(MILLION, 100).totalUsd, 9);
  });

  test('a cold start costs its time', () => {
    const cold = job({ coldStartSeconds: 10 });
    const [withStarts, without] = [cold, { ...cold, coldStartSeconds: 0 }].map(
      (scenario) => costOfJob(scenario, simulate(scenario)).totalUsd,
    );
    const eightStarts = 8 * 10 * (1_769 / 1_024) * 0.000_016_666_7;
    expect((withStarts ?? 0) - (without ?? 0)).toBeCloseTo(eightStarts, 9);
  });

  test('pollers cost from the start of the job to its end, and their minimum between jobs', () => {
    const withPollers = job(provisioned(2, 2));
    const outcome = simulate(withPollers);
    expect(costOfJob(withPollers, outcome).pollersUsd).toBeCloseTo((2 * outcome.seconds * 0.00925) / 3_600, 9);
    expect(idleUsdOfMonth(withPollers)).toBeCloseTo(2 * 730 * 0.00925, 9);
    expect(idleUsdOfMonth(job())).toBe(0);
  });

  test('small batches cost more requests', () => {
    const slowProducer = job({ ...onDemand(1_000), images: 100_000, enqueuedPerSecond: 1_000, coldStartSeconds: 0 });
    const outcome = simulate(slowProducer);
    expect(outcome.invocations).toBeGreaterThan(900);
    const { lambdaRequestsUsd, sqsUsd } = costOfJob(slowProducer, outcome);
    expect(lambdaRequestsUsd).toBeCloseTo(outcome.invocations * 0.2e-6, 12);
    expect(sqsUsd).toBeGreaterThan(2 * costOfImages(100_000, 100).sqsUsd);
  });
});
