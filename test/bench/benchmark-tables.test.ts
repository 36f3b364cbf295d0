import { expect, test } from '@jest/globals';
import { type BenchmarkResults, benchmarkTables } from '../../bench/docs/benchmark-tables.ts';
import { fillIn } from '../../bench/docs/fill-in.ts';
import type { Stages } from '../../bench/speed/measure-stages.ts';
import { BASELINE, KINDS, type Kind, LARGE } from '../../bench/speed/pictures.ts';
import { type Figures, type MeasuredRun, type ProcessorFigures, ratiosOf, tablesOf } from '../../bench/speed/report.ts';

function run(imagesPerSecond: number): MeasuredRun {
  return { images: 100, seconds: 100 / imagesPerSecond, imagesPerSecond, maxRssMb: 500 };
}

function stages(msOfDecode: number, msOfInference: number): Stages {
  const decode = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, msOfDecode])) as Record<Kind, number>;
  return {
    decode: { ...decode, [LARGE]: 4 * msOfDecode },
    inference: { 1: 9, 8: msOfInference },
    fetch: 0.4,
    write: 0.02,
  };
}

function processor(ours: number[], python: number[], node: number[]): ProcessorFigures {
  return {
    stages: ours.map(() => stages(5, 5)),
    ours: ours.map(run),
    inFloats: ours.map((rate) => run(rate / 2)),
    peers: { Python: python.map(run), Node: node.map(run) },
  };
}

/** The better peer is another one in each repetition, and the machine is twice as fast in the second. */
const avx2 = processor([60, 120], [50, 60], [40, 80]);
const native = {
  ...processor([80, 160], [40, 80], [20, 100]),
  twoCores: [150, 310].map(run),
  slow: [80, 150].map(run),
  large: [40, 80].map(run),
};
const figures: Figures = { avx2, native };

test('ratios are taken within one repetition, to the better peer in it, under AVX2 and natively', () => {
  const ratios = ratiosOf(figures);
  expect(ratios.avx2?.['toBetterPeer']).toEqual({ median: 1.35, least: 1.2, most: 1.5 });
  expect(ratios.avx2?.['ofLimit']).toMatchObject({ least: 0.6, most: 1.2 });
  expect(ratios.avx2?.['toNative']).toEqual({ median: 0.75, least: 0.75, most: 0.75 });
  expect(ratios.native['toBetterPeer']).toEqual({ median: 1.8, least: 1.6, most: 2 });
  expect(ratios.native['largeToOrdinaryDecode']?.median).toBe(4);
});

test('the printed tables begin with AVX2', () => {
  const text = tablesOf(figures, { avx2: { Python: 1, Node: 0.99 }, native: {} });
  expect(text.indexOf('under AVX2')).toBe(0);
  expect(text.indexOf('natively')).toBeGreaterThan(0);
  expect(text).toMatch(/Node, same best class in 99 %/);
});

test('without measurements under AVX2, only the native half is printed', () => {
  const text = tablesOf({ native }, { native: {} });
  expect(text).not.toContain('AVX2');
  expect(text.indexOf('natively')).toBe(0);
});

const results: BenchmarkResults = { machine: { cpu: 'One of many' }, repetitions: 2, figures };

test('the page has both halves side by side, AVX2 first', () => {
  const tables = benchmarkTables(results);
  expect(tables).toContain('One of many, 2 repetitions; both halves in one run:');
  expect(tables).toContain('| labelqueue, one core | 90.0 (60.0 to 120.0) | 120.0 (80.0 to 160.0) |');
  expect(tables).toContain('| labelqueue, two cores |  | 230.0 (150.0 to 310.0) |');
  expect(tables).toContain('| worker / better peer | 1.35 (1.20 to 1.50) | 1.80 (1.60 to 2.00) |');
  expect(tables).toContain(`| decode, ${BASELINE} | 5.0 (5.0 to 5.0) | 5.0 (5.0 to 5.0) |`);
});

test('the page says when there is no half under AVX2', () => {
  const tables = benchmarkTables({ ...results, figures: { native } });
  expect(tables).toContain('CPUID cannot be trapped there');
  expect(tables).toContain('| labelqueue, one core |  | 120.0 (80.0 to 160.0) |');
});

test('figures are written between their comments, and nothing else changes', () => {
  const page = 'before\n<!-- cost -->\nold\n<!-- /cost -->\nafter\n';
  const filled = fillIn(page, { name: 'cost', text: 'new $1' });
  expect(filled).toBe('before\n<!-- cost -->\nnew $1\n<!-- /cost -->\nafter\n');
  expect(fillIn(filled, { name: 'cost', text: 'new $1' })).toBe(filled);
  expect(() => fillIn(page, { name: 'other', text: '' })).toThrow(/expected <!-- other -->/);
});
