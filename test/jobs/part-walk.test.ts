import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { type PartKind, runPartPrefix } from '../../shared/contract/object-keys.ts';
import { PartTally } from '../../shared/jobs/part-tally.ts';
import { partsInTurn, walkOf, walkParts } from '../../shared/jobs/part-walk.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import type { LargeJob } from '../../testkit/large-job.ts';
import { startLargeJobs } from '../../testkit/large-jobs.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const NONE = { failures: 0, linesPerPart: 10, toGo: 0, isDescribed: true };
const SMALL: LargeJob = { ...NONE, job: 'small', results: 900, failures: 5 };
const LARGE: LargeJob = { ...NONE, job: 'large', results: 20_000, failures: 2_000 };
const MIXED: LargeJob = { ...NONE, job: 'mixed', results: 20_000 };

const [server] = await sharedByTests(startLargeJobs({ jobs: [SMALL, LARGE, MIXED], latencyMs: 20 }));

async function keysOf(job: string): Promise<string[]> {
  const keys: string[] = [];
  const share = await walkParts(walkOf(server.target, { job }), ({ part }) => keys.push(part.key));
  expect(share).toBe(1);
  return keys;
}

async function listings<Result>(work: () => Promise<Result>): Promise<{ result: Result; listings: number }> {
  const before = (await server.counts()).calls['LIST'] ?? 0;
  const result = await work();
  return { result, listings: ((await server.counts()).calls['LIST'] ?? 0) - before };
}

async function put(kind: PartKind, rest: string): Promise<void> {
  const { s3, resultsBucket: Bucket } = server.target;
  const Key = `${runPartPrefix(kind, { job: MIXED.job })}${rest}.jsonl`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
}

describe('a walk through the part files of a run', () => {
  test('of one page takes one request per kind', async () => {
    const { result, listings: requests } = await listings(() => keysOf('small'));
    expect(new Set(result).size).toBe(905);
    expect(requests).toBe(2);
  });

  test('of many pages visits each file once, with concurrent requests', async () => {
    const { result, listings: requests } = await listings(() => keysOf('large'));
    expect(result).toHaveLength(22_000);
    expect(new Set(result).size).toBe(22_000);
    // A section ends in the middle of a page.
    expect(requests).toBeLessThan(20 + 2 + 2 * 16 + 2);
    expect((await server.counts()).listingsAtOnce).toBeGreaterThanOrEqual(16);
  });

  test('without concurrency visits the same files', async () => {
    const { target } = server;
    const inTurn = await Array.fromAsync(partsInTurn(walkOf(target, { job: 'large' })), ({ part }) => part.key);
    expect(inTurn.toSorted()).toEqual((await keysOf('large')).toSorted());
  });

  test('keeps the latest of several files of the same images, and no failure with a later result', async () => {
    const [twice, both] = ['7'.repeat(32), 'c'.repeat(32)];
    await put('results', `${twice}-n9`);
    await put('results', `${twice}-n8`);
    await put('failures', `${both}-n3.timeout-3`);
    await put('results', `${both}-n3`);
    await put('failures', `${'d'.repeat(32)}-n4.timeout-4`);
    const tally = await PartTally.of(server.target, { job: 'mixed' });
    expect(tally.results.parts).toBe(20_000 + 2);
    expect(tally.results.lines).toBe(20_000 * 10 + 8 + 3);
    expect(Object.fromEntries(tally.failures.codes)).toEqual({ timeout: 4 });
    const again = { results: 0, failures: 0 };
    await tally.again(({ kind, part }) => {
      again[kind] += part.lines;
    });
    expect(again).toEqual({ results: tally.results.lines, failures: tally.failures.lines });
  });
});

describe('without time for the whole', () => {
  test('the listed share gives the estimated number of lines', async () => {
    const { result: tally, listings: requests } = await listings(() =>
      PartTally.of(server.target, { job: 'large' }, AbortSignal.abort()),
    );
    expect(requests).toBeLessThanOrEqual(2 + 2 * 16);
    expect(tally.isWhole).toBe(false);
    expect(tally.share).toBeGreaterThan(0);
    expect(tally.share).toBeLessThan(0.5);
    const estimate = tally.lines / tally.share;
    expect(estimate / (22_000 * 10)).toBeGreaterThan(0.9);
    expect(estimate / (22_000 * 10)).toBeLessThan(1.1);
  });

  test('ten requests give an estimate of the number of lines', async () => {
    const { result, listings: requests } = await listings(() =>
      sampledLines(server.target, 'results', { job: 'large' }),
    );
    expect(requests).toBe(10);
    expect(result.isEstimate).toBe(true);
    expect(Math.abs(result.lines / 200_000 - 1)).toBeLessThan(0.05);
    const { result: small } = await listings(() => sampledLines(server.target, 'failures', { job: 'small' }));
    expect(small).toEqual({ lines: 50, isEstimate: false });
  });
});
