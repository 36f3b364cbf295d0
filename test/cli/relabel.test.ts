import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eachPart } from '../../cli/relabel/each-part.ts';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import { newRun } from '../../shared/contract/job-run.ts';
import { partKey } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { createJob, readJob } from '../../shared/jobs/job-store.ts';
import type { Part } from '../../shared/jobs/list-parts.ts';
import { startImageServer } from '../../testkit/image-server.ts';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { changedModel } from '../classifier/model-folders.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { runEmbeddedJob } from '../support/embedded-job.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const { aws, folder } = await commandTests();
const [images] = await sharedByTests(startImageServer());
/** The lines that the worker wrote. */
let written: ResultLine[];
let failed: FailureLine[];

beforeAll(async () => {
  await runEmbeddedJob(aws, images);
  written = byId(await aws.results('cats'));
  failed = await aws.failures('cats');
  aws.clear();
});
beforeEach(async () => {
  await writeParts(aws.target, 'results', written);
  await writeParts(aws.target, 'failures', failed);
  await describeJob(aws.target, ['cat', 'cat again', 'coffee', 'coffee again', 'rocket', 'gone']);
});
afterEach(() => aws.clear());

function run(...args: string[]): Promise<CommandRun> {
  return runCommand(args, { environment: aws.environment });
}

function linesOf<Line = ResultLine>(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

function byId<Line extends { id: string }>(lines: Line[]): Line[] {
  return lines.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** The default model under another name, so that its labels are others and its trunk is the same. */
function renamedModel(config: object = {}) {
  const labels = Array.from({ length: 1_000 }, (_, classId) => `class ${classId}\n`).join('');
  return changedModel({ config: { name: 'renamed', version: '2', ...config }, files: { 'labels.txt': labels } });
}

test("with the job's own model, labels equal those of the worker, without fetching an image", async () => {
  const before = images.totalRequests();
  const { code, stdout, stderr } = await run('relabel', 'cats');
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'read 1/6\nread 6/6\n' });
  const lines = byId(linesOf(stdout));
  expect(lines.map(({ id }) => id)).toEqual(written.map(({ id }) => id));
  for (const [at, line] of lines.entries()) {
    const { labels, embedding: _embedding, trunk: _trunk, model: _model, ...rest } = written[at] as ResultLine;
    expect(line).toMatchObject(rest);
    expect(line).not.toHaveProperty('embedding');
    expect(line.labels[0]).toMatchObject({ label: labels[0]?.label, classId: labels[0]?.classId });
    const scores = new Map(labels.map(({ label, score }) => [label, score]));
    for (const { label, score } of line.labels) {
      if (scores.has(label)) expect(score).toBeCloseTo(scores.get(label) as number, 2);
    }
  }
  expect(images.totalRequests()).toBe(before);
});

test('with another last layer, its labels, name, threshold and number of labels are used', async () => {
  await using model = await renamedModel();
  const { stdout } = await run('relabel', 'cats', '--model', model.path, '--top', '2');
  for (const line of linesOf(stdout)) {
    const [best] = written.find(({ id }) => id === line.id)?.labels ?? [];
    expect(line.model).toEqual({ name: 'renamed', version: '2' });
    expect(line.labels).toHaveLength(2);
    expect(line.labels[0]).toMatchObject({ label: `class ${best?.classId}`, classId: best?.classId });
  }
  await using strict = await renamedModel({ threshold: 1 });
  expect(linesOf((await run('relabel', 'cats', '--model', strict.path)).stdout).map(({ labels }) => labels)).toEqual(
    Array(5).fill([]),
  );
});

test('writes a file of each format, with a summary beside it that counts the failures too', async () => {
  const file = join(folder.path, 'new.csv');
  const { code, stderr } = await run('relabel', 'cats', '--out', file);
  expect({ code, stderr }).toEqual({ code: 0, stderr: `read 1/6\nread 6/6\n5 images in ${file}\n` });
  expect(await readFile(file, 'utf8')).toMatch(/^\uFEFFid,url,label1,score1,/);
  const summary = JSON.parse(await readFile(join(folder.path, 'cats.summary.json'), 'utf8'));
  expect(summary).toMatchObject({
    images: { classified: 5, failed: 1, toGo: 0 },
    models: [{ name: 'efficientnet-lite0', version: '1', images: 5 }],
    errorCodes: { not_found: 1 },
  });
});

test('--job creates a separate job with failures and order, without computing time', async () => {
  await using model = await renamedModel();
  const { code, stderr } = await run('relabel', 'cats', '--model', model.path, '--job', 'dogs');
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('6 images in the job dogs;') });
  const failures = await aws.failures('dogs');
  expect(failures).toMatchObject([{ id: 'gone', job: 'dogs', run: expect.any(String), error: { code: 'not_found' } }]);
  const status = JSON.parse((await run('status', 'dogs', '--json')).stdout);
  expect(status).toMatchObject({ state: 'completed with failures', classified: 5, failed: 1 });
  const inOrder = linesOf((await run('results', 'dogs', '--in-order')).stdout);
  expect(inOrder.map(({ id }) => id)).toEqual(['cat', 'cat again', 'coffee', 'coffee again', 'rocket']);
  expect(inOrder[0]).toMatchObject({ job: 'dogs', model: { name: 'renamed' }, meta: { price: 1 } });
  expect(inOrder[0]).not.toHaveProperty('embedding');
});

test('an existing job is not overwritten', async () => {
  const { code, stderr } = await run('relabel', 'cats', '--job', 'cats');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'labelqueue: the job cats exists already: choose another name, or purge it\n',
  });
  expect(byId(await aws.results('cats'))).toEqual(written);
});

test('a model with another trunk is refused, both are named, and nothing is left behind', async () => {
  await using model = await changedModel({ config: { name: 'closer', crop: 0.5 } });
  const trunk = written[0]?.trunk ?? '';
  for (const where of [[], ['--job', 'dogs']]) {
    const { code, stdout, stderr } = await run('relabel', 'cats', '--model', model.path, ...where);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `embeddings of cats are of the trunk ${trunk} \\(efficientnet-lite0 1[^)]*\\), and the model has the trunk`,
      ),
    );
    expect(stderr).toMatch(/[0-9a-f]{16} \(closer 1\)/);
  }
  expect(await aws.partKeys('results', 'dogs')).toEqual([]);
  expect((await run('status', 'dogs')).code).toBe(1);
});

test('lines without an embedding, and hostile ones, are counted and left out', async () => {
  const { embedding, trunk, ...plain } = written[0] as ResultLine;
  const lines: object[] = [
    { ...plain, id: 'none' },
    { ...plain, id: 'number', embedding: 7, trunk },
    { ...plain, id: 'short', embedding: 'ADw=', trunk },
    { ...plain, id: 'broken', embedding: `${'!'.repeat(4)}${embedding?.slice(4)}`, trunk },
    { ...plain, id: 'trunk', embedding, trunk: { __proto__: null, toString: 1 } },
    result('old'),
  ];
  await writeParts(aws.target, 'results', lines as ResultLine[]);
  await aws.target.s3.send(
    new PutObjectCommand({
      Bucket: aws.target.resultsBucket,
      Key: partKey('results', { job: 'cats' }, [{ id: 'raw' }]),
      Body: `not JSON\nnull\n7\n${JSON.stringify({ ...plain, id: 7, embedding, trunk })}\n`,
    }),
  );
  const { code, stdout, stderr } = await run('relabel', 'cats');
  expect(code).toBe(3);
  expect(byId(linesOf(stdout)).map(({ id }) => id)).toEqual(written.map(({ id }) => id));
  expect(stderr).toContain('10 lines without an embedding left out: workers write them with EMBEDDING=1');
});

test('a job without embeddings is an error that says how to get them', async () => {
  aws.clear();
  await runEmbeddedJob(aws, images, { embedding: '0', photos: { cat: '/photos/chelsea.jpg' } });
  expect((await aws.results('cats'))[0]).not.toHaveProperty('embedding');
  const { code, stdout, stderr } = await run('relabel', 'cats');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/no result line of cats has an embedding: workers write them with EMBEDDING=1/);
});

test('usage errors are reported before anything is read', async () => {
  for (const option of [
    ['--out', 'x.csv'],
    ['--format', 'csv'],
    ['--force'],
    ['--json'],
    ['--in-order'],
    ['--min-score', '0.5'],
    ['--label', '*cat*'],
  ]) {
    const { code, stdout, stderr } = await run('relabel', 'cats', '--job', 'dogs', ...option);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`--job writes all results into the bucket as a job, and ${option[0]} is for a file`);
  }
  expect(await run('relabel', 'cats', '--model', '/nowhere')).toMatchObject({ code: 1 });
  expect((await run('relabel', 'birds')).stderr).toMatch(/no job birds/);
});

test('a model in S3 from the settings is not silently replaced by the default model', async () => {
  const environment = { ...aws.environment, MODEL_S3_URI: 's3://models/mine/', MODEL_SHA256: 'ab'.repeat(32) };
  const { code, stdout, stderr } = await runCommand(['relabel', 'cats'], { environment });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    'expected a model on this machine for relabel, got MODEL_S3_URI: name the folder of the model with --model',
  );
});

test('--job leaves out malformed failure lines, and counts them', async () => {
  const line = failed[0] as FailureLine;
  const hostile = [
    'not JSON',
    'null',
    '7',
    JSON.stringify({ ...line, id: 7 }),
    JSON.stringify({ ...line, id: 'a', url: 'x'.repeat(100_000) }),
    JSON.stringify({ ...line, id: 'b', error: { ...line.error, code: 'toString' } }),
    JSON.stringify({ ...line, id: 'c', error: null }),
    JSON.stringify({ ...line, id: 'other', error: { ...line.error, code: 'gone' } }),
  ];
  await aws.target.s3.send(
    new PutObjectCommand({
      Bucket: aws.target.resultsBucket,
      Key: partKey('failures', { job: 'cats' }, [{ id: 'raw' }]),
      Body: `${hostile.join('\n')}\n`,
    }),
  );
  const { code, stderr } = await run('relabel', 'cats', '--job', 'dogs');
  expect(code).toBe(0);
  expect(stderr).toContain('7 failure lines that cannot be read left out\n7 images in the job dogs;');
  expect(byId(await aws.failures('dogs')).map(({ id }) => id)).toEqual(['gone', 'other']);
});

test.each([
  [
    'has images without an outcome',
    { images: 9, sent: 9 },
    'job cats is not completed: 6 of 9 images with an outcome so far',
  ],
  ['is being enqueued', { state: 'enqueuing' }, 'job cats is not completed: 6 of 6 images with an outcome so far'],
] as const)('--job prints a note where the job %s', async (_case, description, note) => {
  await describeJob(aws.target, ['cat', 'cat again', 'coffee', 'coffee again', 'rocket', 'gone'], description);
  const { code, stderr } = await run('relabel', 'cats', '--job', 'dogs');
  expect(code).toBe(0);
  expect(stderr).toContain(`${note}\n6 images in the job dogs;`);
});

test('when two commands start a job of the same name, the first one describes it', async () => {
  const begun = (await readJob(aws.target, 'cats')) as JobDescription;
  expect(await createJob(aws.target, { ...begun, job: 'dogs', source: 'one' })).toBe(true);
  expect(await createJob(aws.target, { ...begun, job: 'dogs', source: 'other' })).toBe(false);
  expect(await readJob(aws.target, 'dogs')).toMatchObject({ source: 'one' });
  // Of one command, whose first try has arrived without an answer.
  const own = { ...begun, job: 'birds', run: newRun() };
  expect([await createJob(aws.target, own), await createJob(aws.target, own)]).toEqual([true, true]);
  expect(await createJob(aws.target, { ...own, run: newRun() })).toBe(false);
});

test('when a part fails, those in progress finish before the clean-up begins', async () => {
  const events: string[] = [];
  const { promise: failing, resolve: fail } = Promise.withResolvers<void>();
  async function* parts(): AsyncGenerator<Part> {
    for (const key of ['slow', 'failing', 'third']) yield { key } as Part;
  }
  const use = async ({ key }: Part) => {
    if (key === 'failing') {
      fail();
      throw new Error('refused');
    }
    await failing;
    // Long after the failure is known.
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    events.push(`${key} written`);
  };
  await expect(eachPart(parts(), use).finally(() => events.push('clean-up'))).rejects.toThrow('refused');
  expect(events.at(-1)).toBe('clean-up');
  expect(events).toContain('slow written');
});
