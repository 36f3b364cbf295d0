import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { neighbourTable, waitBeside } from '../../bench/scale/neighbours.ts';
import { DEPLOYED } from '../../bench/scale/scenarios.ts';
import { simulate } from '../../bench/scale/simulate.ts';

const MILLION = { ...DEPLOYED, images: 1_000_000 };
const TWO_IMAGES = { images: 2, arrivesAtSeconds: 30 };

test('two images beside a million are labeled as soon as a worker is free; without message groups, at the end', () => {
  const { withoutGroups, withGroups } = waitBeside(MILLION, TWO_IMAGES);
  const { seconds } = simulate(MILLION);
  const batchSeconds = DEPLOYED.batchSize * DEPLOYED.imagesPerMessage * DEPLOYED.secondsPerImage;
  expect(withGroups).toBeLessThan(batchSeconds + DEPLOYED.coldStartSeconds);
  expect(withoutGroups).toBeGreaterThan(seconds - TWO_IMAGES.arrivesAtSeconds - 2 * batchSeconds);
});

test('a large job with fewer than 30 messages in flight is not a noisy neighbour: groups change nothing', () => {
  const twoWorkers = { ...MILLION, pollers: { kind: 'on demand' as const, maximumConcurrency: 2 } };
  const { withoutGroups, withGroups } = waitBeside(twoWorkers, TWO_IMAGES);
  expect(withGroups).toBe(withoutGroups);
});

test('the page about fair queues has the table of the simulation', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/fair-queues.md'), 'utf8');
  expect(page).toContain(neighbourTable());
});
