import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import check from '../../bench/results/2026-11-24-scale.json' with { type: 'json' };
import benchmark from '../../bench/results/2026-11-27.json' with { type: 'json' };
import { ASSUMPTIONS } from '../../bench/scale/assumptions.ts';
import { benchmarkChecks, type Check, checkTable } from '../../bench/scale/check.ts';
import { fleetAssumptionList, fleetTable } from '../../bench/scale/fleet-table.ts';
import { scalePlot } from '../../bench/scale/plot.ts';
import { DEPLOYED } from '../../bench/scale/scenarios.ts';
import { assumptionList, scaleTables } from '../../bench/scale/table.ts';
import { BASELINE, picturesOf } from '../../bench/speed/pictures.ts';
import { spreadOf } from '../../bench/statistics.ts';
import { MAX_FETCHES_PER_HOST } from '../../shared/contract/limits.ts';
import { BENCHMARK } from '../../shared/cost.ts';

const document = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');
const page = document('scale.md');

/** Lines and words. Not where they are moved to: the library does so by half a pixel when it sees a test runner. */
function drawnIn(svg: string): string[] {
  return [...svg.matchAll(/ d="([^"]+)"|<text[^>]*>([^<]+)</g)].map(([, line, words]) => line ?? words ?? '');
}

describe('the page about scale', () => {
  test('has the tables of the simulation', () => {
    expect(page).toContain(scaleTables());
  });

  test('has every assumption', () => {
    expect(page).toContain(assumptionList());
  });

  test('has the times of a fleet, and every assumption behind them', () => {
    expect(page).toContain(fleetTable());
    expect(page).toContain(fleetAssumptionList());
  });

  test('has the plot of the simulation', () => {
    expect(drawnIn(document('scale.svg'))).toEqual(drawnIn(scalePlot()));
    expect(drawnIn(scalePlot()).length).toBeGreaterThan(12);
  });

  test('has the times of real workers', () => {
    expect(page).toContain(checkTable(check satisfies Check[], benchmarkChecks(benchmark.figures.native)));
  });

  test('says how many connections a thousand workers open to one host', () => {
    expect(page).toContain(`opens up to ${MAX_FETCHES_PER_HOST} connections to a host`);
    expect(page).toContain(`a thousand open ${(1_000 * MAX_FETCHES_PER_HOST).toLocaleString('en')}`);
  });
});

describe('the simulation is fed with the measured figures:', () => {
  test('the time an image takes on the assumed processor', () => {
    expect(DEPLOYED.secondsPerImage).toBe(BENCHMARK.avx2.millisecondsPerImage / 1_000);
  });

  test.each([
    ['under AVX2', BENCHMARK.avx2, benchmark.figures.avx2.ours],
    ['under AVX2 in floats', BENCHMARK.avx2Floats, benchmark.figures.avx2.inFloats],
    ['with AVX-512 VNNI', BENCHMARK.vnni, benchmark.figures.native.ours],
    ['with AVX-512 VNNI in floats', BENCHMARK.vnniFloats, benchmark.figures.native.inFloats],
  ])('the time an image takes %s', (_, { millisecondsPerImage }, runs) => {
    const perSecond = spreadOf(runs.map(({ imagesPerSecond }) => imagesPerSecond)).median;
    expect((millisecondsPerImage / 1_000) * perSecond).toBeCloseTo(1, 2);
  });

  test('the time of a cold start', () => {
    expect(document('decisions/cold-start.md')).toContain(`**${ASSUMPTIONS.coldStartSeconds.value * 1_000}**`);
  });

  test('the size of an image', async () => {
    const sizes = (await picturesOf(BASELINE)).map(({ length }) => length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(ASSUMPTIONS.bytesPerImage.value / mean).toBeCloseTo(1, 2);
  });
});
