import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { ResultLine } from '../../shared/contract/result-line.ts';
import { startImageServer } from '../../testkit/image-server.ts';
import { result, writeParts } from '../../testkit/job-outcomes.ts';
import { changedModel } from '../classifier/model-folders.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { runEmbeddedJob } from '../support/embedded-job.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const COFFEE = join(import.meta.dirname, '../../samples/photos/coffee.jpg');

const { aws, folder } = await commandTests();
const [images] = await sharedByTests(startImageServer());
/** The lines that the worker wrote. */
let written: ResultLine[];

beforeAll(async () => {
  await runEmbeddedJob(aws, images);
  written = await aws.results('cats');
});

function run(...args: string[]): Promise<CommandRun> {
  return runCommand(['similar', 'cats', ...args], { environment: aws.environment });
}

type Found = { compared: number; withoutEmbedding: number; images: { id: string; score: number; label: string }[] };

async function found(...args: string[]): Promise<Found> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

test('for an image of the job, the same photo in another format comes first, and the image itself is left out', async () => {
  const before = images.totalRequests();
  const { images: list, compared } = await found('coffee');
  expect(compared).toBe(5);
  expect(list.map(({ id }) => id)).toEqual(['coffee again', ...Array(3).fill(expect.any(String))]);
  expect(list).toHaveLength(4);
  expect(list[0]).toMatchObject({ url: images.url('/photos/coffee.webp'), label: 'espresso' });
  expect(list[0]?.score).toBeGreaterThan(0.9);
  expect(list[1]?.score).toBeLessThan(0.7);
  expect(images.totalRequests()).toBe(before);
});

test('for a file that was resized and recompressed, the original photo comes first', async () => {
  const file = join(folder.path, 'small.jpg');
  await writeFile(
    file,
    await sharp(await readFile(COFFEE))
      .resize(320)
      .jpeg({ quality: 50 })
      .toBuffer(),
  );
  const { images: list } = await found(file, '--top', '2');
  expect(list.map(({ id }) => id).sort()).toEqual(['coffee', 'coffee again']);
  expect(list[0]?.score).toBeGreaterThan(0.8);
});

test('accepts a URL, which is fetched as by a worker', async () => {
  const { stdout, code } = await run(images.url('/photos/rocket-animated.gif'), '--allow-host', images.host);
  expect({ code, first: stdout.split('\n')[0] }).toEqual({
    code: 0,
    first: expect.stringMatching(/^\d\.\d{4} {2}rocket {2}/),
  });
});

test('lists at most the requested number of images, and only those of the requested similarity', async () => {
  expect((await found('cat', '--top', '1')).images.map(({ id }) => id)).toEqual(['cat again']);
  expect((await found('cat', '--min-score', '0.8')).images.map(({ id }) => id)).toEqual(['cat again']);
  expect((await found('cat', '--min-score', '1')).images).toEqual([]);
});

test('--duplicates lists the pairs of images that look the same', async () => {
  const { code, stdout, stderr } = await run('--duplicates', '--min-score', '0.8');
  expect(code).toBe(0);
  const pairs = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('  ').slice(1).sort());
  expect(pairs.sort()).toEqual([
    ['cat', 'cat again'],
    ['coffee', 'coffee again'],
  ]);
  expect(stderr).toMatch(/2 pairs with a score of at least 0\.8\n$/);
  const json = JSON.parse((await run('--duplicates', '--min-score', '0.8', '--top', '1', '--json')).stdout);
  expect(json).toMatchObject({ compared: 5, found: 2, pairs: [{ score: expect.any(Number), one: {}, other: {} }] });
});

test('a model with another trunk is refused, and both are named', async () => {
  await using model = await changedModel({ config: { name: 'closer', crop: 0.5 } });
  const { code, stdout, stderr } = await run(COFFEE, '--model', model.path);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/embeddings of cats are of the trunk [0-9a-f]{16} \(efficientnet-lite0 1[^)]*\), and/);
  expect(stderr).toMatch(/[0-9a-f]{16} \(closer 1\)/);
});

test('an argument that is neither a file, an image of the job nor a URL, or that cannot be fetched, is an error', async () => {
  expect(await run('nothing')).toMatchObject({
    code: 1,
    stderr: 'labelqueue: nothing: expected the id of an image of cats that has an embedding, a file or a URL\n',
  });
  const missing = images.url('/status/404');
  const { code, stderr } = await run(`${missing}?`, '--allow-host', images.host);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not_found: ') });
});

test('usage errors and an unknown job are reported', async () => {
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('expected an image to compare with') });
  expect(await run('cat', '--duplicates')).toMatchObject({ code: 2 });
  const { code, stderr } = await runCommand(['similar', 'birds', 'a'], { environment: aws.environment });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('no job birds') });
});

test('lines without an embedding are counted and left out; a job without any is an error', async () => {
  const [first] = await aws.results('cats');
  const long = { ...(first as ResultLine), id: 'x'.repeat(10_000) };
  await writeParts(aws.target, 'results', [result('old'), long]);
  const { stderr, stdout, code } = await run('cat');
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('2 lines without an embedding') });
  expect(stdout).toMatch(/cat again/);
  aws.clear();
  await writeParts(aws.target, 'results', [result('old')]);
  expect(await run('--duplicates')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no result line of cats has an embedding: workers write them with EMBEDDING=1'),
  });
});

test('the compared image, not the first line, decides the length of an embedding', async () => {
  aws.clear();
  await writeParts(aws.target, 'results', [
    { ...(written[0] as ResultLine), id: 'short', embedding: 'ADw=' },
    ...written,
  ]);
  const { compared, withoutEmbedding } = await found('coffee');
  expect({ compared, withoutEmbedding }).toEqual({ compared: 5, withoutEmbedding: 1 });
});

test('an id that is also the name of a folder means the image', async () => {
  aws.clear();
  const [cat, ...others] = written.toSorted((one, other) => (one.id < other.id ? -1 : 1)) as [ResultLine];
  await writeParts(aws.target, 'results', [{ ...cat, id: folder.path }, ...others]);
  const { images: list } = await found(folder.path);
  expect(list[0]?.id).toBe('cat again');
});
