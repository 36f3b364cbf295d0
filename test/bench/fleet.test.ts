import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  breakEvenImages,
  breakEvenTable,
  fleetCostTable,
  fleetFamilyTable,
  fleetPriceTable,
} from '../../bench/docs/fleet-tables.ts';
import { type FleetScenario, simulateFleet } from '../../bench/scale/fleet.ts';
import { FLEET_ASSUMPTIONS } from '../../bench/scale/fleet-assumptions.ts';
import { fleet, instanceTypesOf } from '../../infra/fleet/fleet-config.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { ASSUMED, BENCHMARK, costOfImages } from '../../shared/cost.ts';
import { costOfFleetImages, FLEET_PROCESSOR, SPOT_DISCOUNT } from '../../shared/fleet-cost.ts';
import { FLEET_MACHINE, instanceUsdPerHour, vcpusOf } from '../../shared/instance-price.ts';

const document = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');

describe('a million images on a fleet', () => {
  test.each([1_000, 500, 100])('cost at most $0.12 on Spot at 60 %% off, %d a message', (perMessage) => {
    expect(SPOT_DISCOUNT).toBe(0.6);
    expect(costOfFleetImages(1_000_000, perMessage, SPOT_DISCOUNT).totalUsd).toBeLessThanOrEqual(0.12);
  });

  test('cost the time of the vCPUs, plus the same requests as on Lambda', () => {
    const cost = costOfFleetImages(1_000_000, 100, 0);
    const { lambdaUsd, fleetUsd, lambdaRequestsUsd, sqsUsd, s3Usd, logsUsd, totalUsd } = cost;
    const hours = (1_000_000 * FLEET_PROCESSOR.millisecondsPerImage) / 3_600_000 / FLEET_MACHINE.vcpus;
    expect(fleetUsd).toBeCloseTo(hours * instanceUsdPerHour(), 6);
    expect([lambdaUsd, lambdaRequestsUsd]).toEqual([0, 0]);
    const { sqsUsd: sqs, s3Usd: s3, logsUsd: logs } = costOfImages(1_000_000, 100, ASSUMED);
    expect([sqsUsd, s3Usd, logsUsd]).toEqual([sqs, s3, logs]);
    expect(totalUsd).toBeCloseTo(fleetUsd + sqsUsd + s3Usd + logsUsd, 9);
  });

  test("are priced for a stage's default instances", () => {
    const usual = fleet.parse({});
    expect(instanceTypesOf(usual, 'x86_64')[0]).toBe(FLEET_MACHINE.instanceType);
    expect(usual.volumeGb).toBe(FLEET_MACHINE.volumeGb);
    expect(vcpusOf(FLEET_MACHINE.instanceType)).toBe(FLEET_MACHINE.vcpus);
  });
});

test.each([
  ['c7a.medium', 1],
  ['c7a.large', 2],
  ['c7a.xlarge', 4],
  ['c7g.16xlarge', 64],
  ['c7i.metal-24xl', 96],
  ['c7g.metal', undefined],
])('%s has %p vCPUs', (type, vcpus) => {
  expect(vcpusOf(type)).toBe(vcpus);
});

describe('the simulation of a fleet', () => {
  const job: FleetScenario = { images: 10_000_000, size: 'xlarge', vcpus: 4, maxInstances: 20 };

  test('takes as long as its instances work, plus their start', () => {
    const { seconds, peakInstances } = simulateFleet(job);
    const busy = (job.images * FLEET_PROCESSOR.millisecondsPerImage) / 1_000 / (20 * 4);
    const start = FLEET_ASSUMPTIONS.bootSeconds.value + FLEET_ASSUMPTIONS.metricDelaySeconds.value;
    expect(peakInstances).toBe(20);
    expect(seconds).toBeGreaterThanOrEqual(busy + start);
    expect(seconds).toBeLessThan(busy + start + 6 * 60);
  });

  test('starts no more instances than its messages are worth', () => {
    expect(simulateFleet({ ...job, images: 250_000 }).peakInstances).toBe(3);
  });

  test('an instance starts for the number of messages that pays for it on Spot, whatever Lambda runs on', () => {
    const images = fleet.parse({}).messagesPerInstance * DEFAULT_IMAGES_PER_MESSAGE;
    for (const processor of [BENCHMARK.avx2, BENCHMARK.vnni]) {
      expect(images).toBeGreaterThanOrEqual(breakEvenImages(SPOT_DISCOUNT, processor));
    }
    // Not far above either: more instances would be done sooner at the same price.
    expect(images).toBeLessThan(1.5 * breakEvenImages(SPOT_DISCOUNT, BENCHMARK.vnni));
  });

  test('more instances cost more for the same images, and Spot costs less than on demand', () => {
    const [few, many] = [simulateFleet(job), simulateFleet({ ...job, maxInstances: 200 })];
    expect(many.seconds).toBeLessThan(few.seconds);
    expect(many.onDemandUsd).toBeGreaterThan(few.onDemandUsd);
    expect(few.spotUsd).toBeLessThan(few.onDemandUsd / 2);
  });
});

test('the first page has what a million images cost on Spot and on Lambda', () => {
  const usd = [costOfFleetImages(1_000_000, 100, SPOT_DISCOUNT), costOfImages(1_000_000, 100, ASSUMED)].map(
    ({ totalUsd }) => `$${totalUsd.toFixed(3)}`,
  );
  expect(document('../README.md')).toContain(
    `${usd[0]} per million images on Spot (estimated), against ${usd[1]} on Lambda`,
  );
});

test('the runbook has the cost of an instance that only starts and ends', () => {
  const [onDemand, spot] = [0, SPOT_DISCOUNT].map((discount) => instanceUsdPerHour(FLEET_MACHINE, discount));
  const text = document('runbook.md').replaceAll(/\s+/g, ' ');
  expect(text).toContain(`$${onDemand?.toFixed(2)} on demand and about $${spot?.toFixed(2)} on Spot for a c7a.xlarge`);
  expect(text).toContain(
    `With 50 of them that is $${(50 * Number(spot)).toFixed(0)} to $${(50 * Number(onDemand)).toFixed(0)} per hour`,
  );
});

describe('the pages have the computed figures:', () => {
  test.each([
    ['cost.md', fleetCostTable],
    ['fleet.md', fleetPriceTable],
    ['fleet.md', breakEvenTable],
    ['fleet.md', fleetFamilyTable],
  ])('%s, %p', (page, table) => {
    expect(document(page)).toContain(table());
  });

  test('fleet.md has the default of each option', () => {
    const page = document('fleet.md');
    const usual = fleet.parse({});
    for (const [name, value] of Object.entries(usual)) {
      const shown = Array.isArray(value)
        ? value.join(' and ')
        : typeof value === 'string'
          ? `\`"${value}"\``
          : String(value);
      expect(page).toContain(`| \`${name}\` | ${shown} |`);
    }
  });
});
