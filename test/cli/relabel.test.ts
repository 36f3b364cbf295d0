import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { partKey } from '../../shared/contract/object-keys.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import { changedModel } from '../classifier/model-folders.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { runEmbeddedJob } from '../support/embedded-job.ts';
import { type ImageServer, startImageServer } from '../support/image-server.ts';
import { describeJob, result, writeParts } from '../support/job-outcomes.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { startTestAws, type TestAws } from '../support/test-aws.ts';

let aws: TestAws;
let images: ImageServer;
let folder: TemporaryFolder;
/** The lines that the worker wrote. */
let written: ResultLine[];
let failed: FailureLine[];

beforeAll(async () => {
  [aws, images, folder] = await Promise.all([startTestAws(), startImageServer(), createTemporaryFolder()]);
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
afterAll(async () => {
  await images.close();
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});

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

test('with the model of the job, labels are those that the worker wrote; with no image fetched', async () => {
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

test('with another last layer, labels, model, threshold and number of labels are its own', async () => {
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

test('--job makes a job of its own, complete with failures and order, that costs no computing', async () => {
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

test('a job that exists is not written over', async () => {
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

test('wrong usage is told before anything is read', async () => {
  expect(await run('relabel', 'cats', '--job', 'dogs', '--out', 'x.csv')).toMatchObject({ code: 2 });
  expect(await run('relabel', 'cats', '--model', '/nowhere')).toMatchObject({ code: 1 });
  expect((await run('relabel', 'birds')).stderr).toMatch(/no job birds/);
});
