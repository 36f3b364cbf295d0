import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { downloadParts } from '../../cli/export/download-parts.ts';
import { latestParts } from '../../shared/jobs/list-parts.ts';
import type { LargeJob } from '../../testkit/large-job.ts';
import { type LargeJobs, startLargeJobs } from '../../testkit/large-jobs.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type CommandRun, runCommand } from '../support/command.ts';

const PEAK_MEMORY = join(import.meta.dirname, '../../testkit/report-peak-memory.mjs');
/** A job of 10,000 part files takes about 150. */
const MOST_MB = 250;
const PARTS = 250_000;
const FAILURES = 25_000;
const LINES = 10;

const LARGE: LargeJob = {
  ...{ job: 'large', run: '0123456789abcdef', results: PARTS - FAILURES, failures: FAILURES },
  ...{ linesPerPart: LINES, toGo: 0, isDescribed: true },
};

/** As bin/labelqueue starts it. */
async function labelqueue(server: LargeJobs, ...args: string[]): Promise<CommandRun & { peakMb: number }> {
  const run = await runCommand(args, {
    environment: server.environment,
    execArgv: ['--max-semi-space-size=1', '--max-old-space-size=512', '--import', PEAK_MEMORY],
  });
  const kib = Number(/peak memory: (\d+) KiB/.exec(run.stderr)?.[1]);
  return { ...run, peakMb: (kib * 1_024) / 1e6 };
}

/** Each part file is listed and removed. */
const PURGED_PARTS = 50_000;
const PURGED: LargeJob = { ...LARGE, job: 'purged', results: PURGED_PARTS - 5_000, failures: 5_000 };

describe('a job of a quarter of a million part files', () => {
  let server: LargeJobs;
  beforeAll(async () => {
    server = await startLargeJobs({ jobs: [LARGE, PURGED] });
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  test('has its status, including its completion, without reading any of them', async () => {
    const { code, stdout, peakMb } = await labelqueue(server, 'status', 'large', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ state: 'completed with failures', countsAreEstimates: false, toGo: 0 },
      ...{ classified: (PARTS - FAILURES) * LINES, failed: FAILURES * LINES },
      failedByCode: { not_found: FAILURES * LINES },
    });
    expect((await server.counts()).calls['GET']).toBe(1);
    expect(peakMb).toBeLessThan(MOST_MB);
  }, 300_000);

  test('has failures that redrive counts from file names', async () => {
    const { stdout, peakMb } = await labelqueue(server, 'redrive', 'large', '--dry-run', '--code', 'not_found');
    expect(stdout).toBe(`job large: would send ${FAILURES * LINES} images again\n`);
    // That of job.json.
    expect((await server.counts()).calls['GET']).toBeLessThan(5);
    expect(peakMb).toBeLessThan(MOST_MB);
  }, 300_000);

  test('is downloaded in batches, and not listed ahead of them', async () => {
    await using folder = await createTemporaryFolder();
    const before = (await server.counts()).calls['LIST'] ?? 0;
    for await (const { files } of downloadParts(
      server.target,
      latestParts(server.target, 'results', LARGE),
      folder.path,
    )) {
      expect(files).toHaveLength(2_000);
      expect((await readdir(folder.path)).length).toBeLessThanOrEqual(2);
      break;
    }
    expect(((await server.counts()).calls['LIST'] ?? 0) - before).toBeLessThan(10);
  }, 60_000);

  test('is purged', async () => {
    const { stdout, peakMb } = await labelqueue(server, 'purge', 'purged', '--yes');
    // Each part, the description, and the mark of the purged run stays.
    expect(stdout).toBe(`job purged: ${PURGED_PARTS + 1} files removed\n`);
    expect(peakMb).toBeLessThan(MOST_MB);
    expect((await labelqueue(server, 'status', 'purged')).code).toBe(1);
  }, 300_000);
});

describe('a job whose listing never ends', () => {
  let server: LargeJobs;
  beforeEach(async () => {
    server = await startLargeJobs({ jobs: [{ ...LARGE, results: 10_000_000, toGo: 500_000 }], latencyMs: 500 });
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  test('is cancelled after a bounded number of listings', async () => {
    const { code, stdout } = await labelqueue(server, 'cancel', 'large');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^job large: cancelled with about \d+ images to go\n$/);
    const { calls } = await server.counts();
    expect(calls['PUT']).toBe(1);
    // The 10,000 pages would take five minutes.
    expect(calls['LIST']).toBeLessThan(1_000);
  }, 120_000);
});
