import { expect, test } from '@jest/globals';
import { findingsOf } from '../../cli/bench/findings.ts';
import { findingsText } from '../../cli/bench/findings-text.ts';
import type { WorkerMachine } from '../../shared/contract/worker-time.ts';

const LAMBDA = { host: 'lambda', architecture: 'x86_64', memoryMb: 1_769 } as const;
const OWN = { host: 'own', architecture: 'x86_64', memoryMb: 0 } as const;

/** The findings of a job of 100 images without a log. */
function found(workers: readonly (WorkerMachine & { seconds: number })[]) {
  return findingsOf({
    status: {
      ...{ job: 'cats', state: 'completed', classified: 100, failed: 0, failedByCode: {}, countsAreEstimates: false },
      ...{ queue: { waiting: 0, inFlight: 0, retrying: 0, deadLetters: 0 }, imagesPerSecond: 0, costSoFarUsd: 0 },
      computing: { workers: [...workers], measuredShare: 1 },
    },
    outcomes: { results: new Map(), failures: new Map() },
    startedAt: new Date(0),
    perMessage: 100,
    invocations: [],
  });
}

function costLine(workers: readonly (WorkerMachine & { seconds: number })[]): string {
  return /^cost +(.*)$/m.exec(findingsText(found(workers)))?.[1] ?? '';
}

test('time on Lambda has a price', () => {
  expect(costLine([{ ...LAMBDA, seconds: 1 }])).toMatch(
    /^\$0\.3\d\d per million .*, from the time measured by the workers$/,
  );
});

test('machines of your own have no list price, so no figure is printed', () => {
  expect(costLine([{ ...OWN, seconds: 1 }])).toBe('not priced: your own machines have no list price');
  expect(found([{ ...OWN, seconds: 1 }])).toMatchObject({ unpricedShare: 1 });
  expect(found([{ ...OWN, seconds: 1 }])).not.toHaveProperty('usdPerMillion');
});

test('the share of the time without a price is named beside the price of the rest', () => {
  const workers = [
    { ...LAMBDA, seconds: 3 },
    { ...OWN, seconds: 1 },
  ];
  expect(costLine(workers)).toMatch(
    /^\$.* measured by the workers, without the 25 % of the time on your own machines \(not priced\)$/,
  );
  const { unpricedShare, usdPerMillion = 0 } = found(workers);
  expect(unpricedShare).toBe(0.25);
  // The three seconds are of three quarters of the images.
  expect(usdPerMillion / (found([{ ...LAMBDA, seconds: 4 }]).usdPerMillion ?? 0)).toBeCloseTo(1, 1);
});

test("two kinds of one's own machines are not priced either, however their shares are rounded", () => {
  const workers = [
    { ...OWN, seconds: 0.1 },
    { ...OWN, architecture: 'arm64' as const, seconds: 0.3 },
  ];
  expect(costLine(workers)).toBe('not priced: your own machines have no list price');
});

test('workers of earlier versions, which measured no time, have no price', () => {
  expect(costLine([])).toBe('unknown: the workers measured no time');
  expect(costLine([{ ...LAMBDA, seconds: 0 }])).toBe('unknown: the workers measured no time');
});
