import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { DEFAULT_TOLERANCE } from '../support/score-tolerance.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');

/** What becomes of the bad ones among the samples. */
const FAILURES: Record<string, FailureLine['error']['code']> = {
  'unavailable-always': 'server_error',
  missing: 'not_found',
  'text-file': 'not_an_image',
  truncated: 'corrupt',
};

type Sample = { id: string; url: string; meta?: object };

const [state] = await sharedByTests(createTemporaryFolder());
let run: CommandRun;
let samples: Sample[];
let results: ResultLine[];
let failures: FailureLine[];

async function readLines<Line>(path: string): Promise<Line[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

beforeAll(async () => {
  run = await runCommand(['demo', '--state-dir', state.path]);
  samples = await readLines(join(SAMPLES, 'manifest.jsonl'));
  results = await readLines(join(state.path, 'demo/results.jsonl'));
  failures = await readLines(join(state.path, 'demo/failures.jsonl'));
}, 180_000);

/** The path of a sample that a line is about: its URL without the server of the demo. */
function pathOf({ url }: { url: string }): string {
  return new URL(url).pathname.slice(1);
}

test('accounts for each sample exactly once, and exits with 0', () => {
  const ids = [...results, ...failures].map(({ id }) => id);
  expect(ids.toSorted()).toEqual(samples.map(({ id }) => id).toSorted());
  expect(run.code).toBe(0);
});

test('says that the failures are intended', () => {
  expect(run.stdout).toContain(`${failures.length} failed, as intended: `);
});

test('fails those samples that are bad, each with its code', () => {
  expect(Object.fromEntries(failures.map(({ id, error }) => [id, error.code]))).toEqual(FAILURES);
});

test('labels each photo as recorded', async () => {
  const expected: Record<string, { classId: number; label: string; score: number }> = JSON.parse(
    await readFile(join(SAMPLES, 'expected.json'), 'utf8'),
  );
  for (const line of results) {
    // This one turns out to be the coffee.
    const path = line.id === 'unavailable-once' ? 'photos/coffee.jpg' : pathOf(line);
    const [best] = line.labels;
    const { score = Number.NaN, ...label } = expected[path] ?? {};
    expect({ path, ...best }).toMatchObject({ path, ...label });
    expect(Math.abs((best?.score ?? Number.NaN) - score)).toBeLessThanOrEqual(DEFAULT_TOLERANCE);
  }
});

test('writes complete result lines: labels best first, the model, facts of the image', async () => {
  for (const line of results) {
    expect(line).toEqual({
      v: 1,
      job: 'demo',
      run: expect.stringMatching(/^[0-9a-f]{16}$/),
      id: expect.any(String),
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
      ...(line.meta !== undefined && { meta: line.meta }),
      labels: Array.from({ length: 5 }, () => ({
        label: expect.any(String),
        score: expect.any(Number),
        classId: expect.any(Number),
      })),
      model: { name: 'efficientnet-lite0', version: expect.stringMatching(/^1(-int8)?$/) },
      image: {
        width: expect.any(Number),
        height: expect.any(Number),
        format: expect.stringMatching(/^(jpeg|png|webp|gif|avif|tiff)$/),
        bytes: expect.any(Number),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      attempt: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const scores = line.labels.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((one, other) => other - one));
  }
  expect(results.find(({ id }) => id === 'unavailable-once')?.attempt).toBeGreaterThanOrEqual(2);
  const upright = results.find(({ id }) => id === 'phone-photo');
  const { length } = await readFile(join(SAMPLES, 'photos/phone-orientation-6.jpg'));
  expect(upright?.image).toMatchObject({ width: 3_024, height: 4_032, format: 'jpeg', bytes: length });
});

test('writes complete failure lines, and tries transient failures five times', () => {
  for (const line of failures) {
    const retryable = line.id === 'unavailable-always';
    expect(line).toEqual({
      v: 1,
      job: 'demo',
      run: expect.stringMatching(/^[0-9a-f]{16}$/),
      id: expect.any(String),
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
      error: {
        code: FAILURES[line.id],
        stage: expect.stringMatching(/^(fetch|decode)$/),
        message: expect.stringMatching(/./),
        retryable,
      },
      // On a busy machine the others may time out before they fail for good.
      attempt: retryable ? 5 : expect.any(Number),
      at: expect.stringMatching(/Z$/),
    });
  }
});

test('returns the meta of each sample', () => {
  const given = (lines: { id: string; meta?: object | undefined }[]) =>
    Object.fromEntries(lines.filter(({ meta }) => meta !== undefined).map(({ id, meta }) => [id, meta]));
  expect(given([...results, ...failures])).toEqual(given(samples));
});

test('prints one row per image, the speed, and where the files are', () => {
  for (const { id, labels } of results) expect(rowOf(id)).toContain(labels[0]?.label.slice(0, 20));
  for (const { id, error } of failures) expect(rowOf(id)).toContain(error.code);
  expect(run.stdout).toMatch(/ images\/s/);
  expect(run.stdout).toMatch(/^results {3}.*demo\/results\.jsonl$/m);
  expect(run.stdout).toMatch(/^failures {2}.*demo\/failures\.jsonl$/m);
});

test('prints the address of its dashboard, and ends with how to start one that stays', () => {
  expect(run.stderr).toMatch(/^watch the queue meanwhile: http:\/\/127\.0\.0\.1:\d+\/$/m);
  expect(run.stdout).toMatch(
    /\nto see a queue move: labelqueue local, .*\nin another terminal, labelqueue bench .*\n$/,
  );
});

test('shows its progress in plain lines where there is no terminal', () => {
  expect(run.stderr).toMatch(new RegExp(`^labeled ${samples.length}/${samples.length} `, 'm'));
  expect(run.stderr).not.toContain('\u001b');
});

function rowOf(id: string): string | undefined {
  return run.stdout.split('\n').find((row) => row.includes(` ${id} `));
}
