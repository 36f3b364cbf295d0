import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { startImageServer } from '../../testkit/image-server.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SAMPLES = relative(process.cwd(), join(import.meta.dirname, '../../samples'));
const COFFEE = `${SAMPLES}/photos/coffee.jpg`;
const CAT = `${SAMPLES}/photos/chelsea.jpg`;
const NOT_AN_IMAGE = `${SAMPLES}/photos/not-an-image.jpg`;
const EXPECTED: Record<string, { label: string; score: number }> = JSON.parse(
  readFileSync(join(SAMPLES, 'expected.json'), 'utf8'),
);

const LABEL_LINE = /^(?<label>.+) \(score = (?<score>[01]\.\d{5})\)$/;

const [images] = await sharedByTests(startImageServer());

function classify(...args: string[]): Promise<CommandRun> {
  return runCommand(['classify', ...args]);
}

function linesOf(text: string): string[] {
  expect(text).toMatch(/\n$/);
  return text.slice(0, -1).split('\n');
}

test('prints the five best labels of a photo with their scores', async () => {
  const { code, stdout } = await classify(COFFEE);
  const labels = linesOf(stdout).map((line) => LABEL_LINE.exec(line)?.groups);
  expect(labels).toHaveLength(5);
  expect(labels[0]?.['label']).toBe('espresso');
  expect(Number(labels[0]?.['score'])).toBeCloseTo(EXPECTED['photos/coffee.jpg']?.score ?? 0, 1);
  const scores = labels.map((label) => Number(label?.['score']));
  expect(scores).toEqual(scores.toSorted((one, other) => other - one));
  expect(code).toBe(0);
});

test('prints each photo under its name, in the order given, and with as many labels as asked for', async () => {
  const { code, stdout } = await classify('--top', '2', CAT, COFFEE);
  expect(linesOf(stdout)).toEqual([
    `${CAT}:`,
    expect.stringMatching(/^Egyptian cat \(score = /),
    expect.stringMatching(LABEL_LINE),
    `${COFFEE}:`,
    expect.stringMatching(/^espresso \(score = /),
    expect.stringMatching(LABEL_LINE),
  ]);
  expect(code).toBe(0);
});

test('classifies every sample photo as recorded, whatever its format', async () => {
  const photos = Object.keys(EXPECTED);
  const { stdout } = await classify('--json', '--top', '1', ...photos.map((photo) => join(SAMPLES, photo)));
  const answers = linesOf(stdout).map((line) => JSON.parse(line).labels[0]);
  expect(answers).toEqual(photos.map((photo) => expect.objectContaining({ label: EXPECTED[photo]?.label })));
});

test('prints one result or failure line per input with --json, and exits with 3 when any failed', async () => {
  const { code, stdout } = await classify('--json', CAT, NOT_AN_IMAGE, 'no-such-file.jpg', SAMPLES);
  const [cat, ...failures] = linesOf(stdout).map((line) => JSON.parse(line));
  const bytes = await readFile(CAT);
  expect(cat).toEqual({
    v: 1,
    job: 'classify',
    id: CAT,
    url: CAT,
    labels: Array.from({ length: 5 }, () => ({
      label: expect.any(String),
      score: expect.any(Number),
      classId: expect.any(Number),
    })),
    model: { name: 'efficientnet-lite0', version: expect.stringMatching(/^1(-int8)?$/) },
    image: {
      width: 351,
      height: 300,
      format: 'jpeg',
      bytes: bytes.length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    attempt: 1,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  const failure = (url: string, code: string, stage: string) => ({
    v: 1,
    job: 'classify',
    id: url,
    url,
    error: { code, stage, message: expect.any(String), retryable: false },
    attempt: 1,
    at: expect.any(String),
  });
  expect(failures).toEqual([
    failure(NOT_AN_IMAGE, 'not_an_image', 'decode'),
    failure('no-such-file.jpg', 'not_found', 'fetch'),
    failure(SAMPLES, 'not_an_image', 'decode'),
  ]);
  expect(code).toBe(3);
});

test('prints errors on standard error, and the labels of the others', async () => {
  const { code, stdout, stderr } = await classify(NOT_AN_IMAGE, '--top', '1', CAT);
  expect(stderr).toContain(`${NOT_AN_IMAGE}: not_an_image: `);
  expect(linesOf(stdout)).toEqual([`${CAT}:`, expect.stringMatching(/^Egyptian cat /)]);
  expect(code).toBe(3);
});

test('prints only the labels: nothing from TensorFlow, nothing on standard error', async () => {
  const { code, stdout, stderr } = await classify('--top', '1', CAT);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(linesOf(stdout)).toEqual([expect.stringMatching(/^Egyptian cat /)]);
});

test('fetches a URL whose host is allowed, and follows the rules of the worker otherwise', async () => {
  const url = images.url('/photos/coffee.jpg');
  const refused = await classify(url);
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toContain(`${url}: address_not_allowed: `);
  const allowed = await classify('--top', '1', '--allow-host', 'other.example:80', '--allow-host', images.host, url);
  expect(allowed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^espresso /) });
});

test('classifies an object of an allowed bucket', async () => {
  await using aws = await startTestAws();
  const Body = await readFile(CAT);
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key: 'photos/a cat?.jpg', Body }));
  const url = `s3://${aws.target.resultsBucket}/photos/a cat?.jpg`;
  const { code, stdout } = await runCommand(['classify', '--json', url], {
    environment: { ...aws.environment, SOURCE_BUCKETS: aws.target.resultsBucket },
  });
  expect(JSON.parse(stdout)).toMatchObject({
    url,
    labels: expect.arrayContaining([expect.objectContaining({ label: 'Egyptian cat' })]),
  });
  expect(code).toBe(0);
});

test('names a folder that is not a model folder', async () => {
  const { code, stderr } = await runCommand(['classify', CAT], { environment: { MODEL_DIR: SAMPLES } });
  expect(stderr).toMatch(/^labelqueue: expected a model folder .*samples/);
  expect(code).toBe(1);
});
