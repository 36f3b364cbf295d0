import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../shared/contract/error-codes.ts';
import { seed } from '../contract/seed.ts';
import type { DecodeReport } from '../support/decode-mutated-images.ts';

const DECODE_MUTATED_IMAGES = join(import.meta.dirname, '../support/decode-mutated-images.ts');
const IMAGES = 6_000;
const MOST_MS = 5_000;
/** Well above `MOST_MS`, so that an image which is only slow is named as such. */
const HANGING_AFTER_MS = 15_000;
/**
 * A leak of an image's pixels, 150 kB each, would be 900 MB; of 10 kB an image, 60 MB. What the
 * allocator keeps differs by the seed: 19 MB have been seen.
 */
const MOST_GROWTH_MB = 50;
/** With one arena and a small young generation, what is free is used again at once, so that a leak shows. */
const NODE_FLAGS = ['--expose-gc', '--max-semi-space-size=1'];
const ENVIRONMENT = { ...process.env, MALLOC_ARENA_MAX: '1' };

let report: DecodeReport;

beforeAll(async () => {
  report = await decodeMutatedImages();
}, 300_000);

/** @throws naming the image at which the process died, threw or hung */
async function decodeMutatedImages(): Promise<DecodeReport> {
  const child = spawn(process.execPath, [...NODE_FLAGS, DECODE_MUTATED_IMAGES, String(seed), '0', String(IMAGES)], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`)));
  const killHanging = () => setTimeout(() => child.kill('SIGKILL'), HANGING_AFTER_MS);
  let watchdog = killHanging();
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  let lastLine = '';
  for await (const line of createInterface({ input: child.stdout })) {
    lastLine = line;
    clearTimeout(watchdog);
    watchdog = killHanging();
  }
  const end = await ended;
  clearTimeout(watchdog);
  if (end === 'exit code 0') return JSON.parse(lastLine);
  const again = `node test/support/decode-mutated-images.ts ${seed} ${lastLine} ${Number(lastLine) + 1}`;
  throw new Error(
    `expected pixels or an ImageFailure, got ${end} at image ${lastLine}; again with: ${again}\n${complaint}`,
  );
}

test('each mutated image gives pixels or the code of a decode error', () => {
  const refused = Object.values(report.refused).reduce((sum, images) => sum + images);
  expect(report.decoded + refused).toBe(IMAGES);
  // Both happen, or the mutations would be of no use.
  expect(report.decoded).toBeGreaterThan(IMAGES / 20);
  expect(refused).toBeGreaterThan(IMAGES / 20);
  const decodeCodes = Object.entries(ERROR_CODES).filter(([, { stage }]) => stage === 'decode');
  expect(decodeCodes.map(([code]) => code)).toEqual(expect.arrayContaining(Object.keys(report.refused)));
});

test('no mutated image takes longer than 5 s', () => {
  expect(report.slowest.milliseconds).toBeLessThan(MOST_MS);
});

test('mutated images leave no memory behind', () => {
  expect(report.residentMb).toHaveLength(10);
  // The first three tenths load and warm up what decodes.
  const [warm = 0, ...later] = report.residentMb.slice(2);
  expect(Math.max(...later) - warm).toBeLessThan(MOST_GROWTH_MB);
});
