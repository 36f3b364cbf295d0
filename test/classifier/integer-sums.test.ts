import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { findIntegerSums } from '../../shared/classifier/model/integer-sums.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { SampleLabels } from '../support/label-samples.ts';
import { DEFAULT_TOLERANCE } from '../support/score-tolerance.ts';
import { DEFAULT_MODEL } from './model-folders.ts';

const ROOT = join(import.meta.dirname, '../..');
const answers: Record<string, { classId: number; score: number }> = JSON.parse(
  await readFile(join(ROOT, 'samples/expected.json'), 'utf8'),
);

/** What a process of its own makes of the sample photos, with these variables of oneDNN and TensorFlow. */
async function labelSamples(variables: NodeJS.ProcessEnv): Promise<SampleLabels> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', join(ROOT, 'test/support/label-samples.ts')],
    { env: { ...process.env, ...variables } },
  );
  return JSON.parse(stdout);
}

const NATIVE = await labelSamples({});

function expectRecorded({ best }: SampleLabels, tolerance: number): void {
  expect(Object.keys(best)).toHaveLength(3);
  for (const [name, { classId, score }] of Object.entries(best)) {
    const recorded = answers[`photos/${name}`];
    expect({ name, classId }).toEqual({ name, classId: recorded?.classId });
    expect(Math.abs(score - (recorded?.score ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
  }
}

if (process.arch === 'x64') {
  describe('a worker on a processor', () => {
    test.each(['AVX2', 'AVX512_CORE'])('with %s but no VNNI gives the labels and scores of this one', async (isa) => {
      const labeled = await labelSamples({ ONEDNN_MAX_CPU_ISA: isa });
      expect(labeled).toMatchObject({ arithmetic: 'int8-avx2', notes: [] });
      expectRecorded(labeled, DEFAULT_TOLERANCE);
      for (const [name, { score }] of Object.entries(labeled.best)) {
        expect(score).toBeCloseTo(NATIVE.best[name]?.score ?? Number.NaN, 4);
      }
    });
  });

  test('this processor adds products of integers in one of the two ways', async () => {
    expect((await findIntegerSums()).sums).toMatch(/^(exact|in pairs)$/);
  });
} else {
  test('another architecture does not use integers, without a warning', async () => {
    expect(await findIntegerSums()).toEqual({ sums: 'none' });
  });
}

test('the probe leaves nothing in memory', async () => {
  const before = tensorflowUse();
  await findIntegerSums();
  expect(tensorflowUse()).toEqual(before);
});

test('a probe that fails says why', async () => {
  const { sums, reason } = await findIntegerSums(`${DEFAULT_MODEL}/nowhere`);
  expect(sums).toBe('none');
  if (process.arch === 'x64') expect(reason).toMatch(/nowhere: expected a SavedModel/);
});
