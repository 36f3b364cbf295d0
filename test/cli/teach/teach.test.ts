import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../testkit/eventually.ts';
import { changedModel } from '../../classifier/model-folders.ts';
import { attribute, channelMeans, node, shape } from '../../classifier/tiny-model.ts';
import { type CommandRun, runCommand, startCommand } from '../../support/command.ts';
import { LABELS, MATERIALS, teachTests } from './teach-tests.ts';

const { images, at, teach, folder } = await teachTests();

/** The hashes of all files of a folder. */
async function hashesOf(path: string): Promise<Record<string, string>> {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = await Promise.all(
    files.map(async (file) => [
      file.slice(path.length + 1),
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(hashes.sort());
}

describe('a model of three materials', () => {
  let first: CommandRun;
  beforeAll(async () => {
    first = await teach(MATERIALS, 'materials', '--name', 'materials');
  });

  test('classifies the held-out photos, in integers and in floats, and reports it', () => {
    expect(first.stdout).toMatch(/^60 photos of 3 labels: learned from 48, tested with the others$/m);
    const [, right] = /^accuracy {2}[\d.]+ %, (\d+) of 12 photos/m.exec(first.stdout) ?? [];
    expect(Number(right)).toBeGreaterThanOrEqual(12 * 0.95);
    if (process.arch === 'x64') {
      const [, inFloats] = /^ +[\d.]+ %, (\d+) of 12 photos \(32-bit floats\)$/m.exec(first.stdout) ?? [];
      expect(Number(inFloats)).toBeGreaterThanOrEqual(12 * 0.95);
    }
    expect(first.stdout).toMatch(/^tested +brick +grass +gravel\nbrick +4 +0 +0\ngrass +0 +4 +0\ngravel +0 +0 +4\n/m);
    expect(first.stdout).toMatch(/^least sure of\n( {2}0\.\d{3} (brick|grass|gravel) .*\n){5}/m);
    expect(first.stdout).not.toContain('warning');
    expect(first.stderr).toContain('looked at 60/60');
    expect(first.code).toBe(0);
  });

  test('the same seed gives the same files, another seed gives others', async () => {
    expect(await teach(MATERIALS, 'again', '--name', 'materials')).toMatchObject({ code: 0 });
    expect(await teach(MATERIALS, 'other', '--name', 'materials', '--seed', '2')).toMatchObject({ code: 0 });
    const [one, same, other] = await Promise.all(['materials', 'again', 'other'].map((name) => hashesOf(at(name))));
    expect(same).toEqual(one);
    expect(other?.['saved_model.pb']).not.toBe(one?.['saved_model.pb']);
    expect(Object.keys(one ?? {})).toEqual([
      'LICENSE',
      'SHA256SUMS',
      'classifier.json',
      'int8/saved_model.pb',
      'labels.txt',
      'saved_model.pb',
      'teaching.json',
    ]);
  });

  test('passes model check without a warning, and is as fast as the default', async () => {
    const photos = LABELS.map((label) => join(MATERIALS, label, '01.jpg'));
    const { code, stdout } = await runCommand(['model', 'check', at('materials'), ...photos, '--json']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ format: 'saved-model', labels: { count: 3, first: LABELS }, warnings: [] });
    expect(report.model).toEqual({ name: 'materials', version: expect.stringMatching(/^[0-9a-f]{12}(-int8)?$/) });
    expect(report.predictions.map(({ labels }: { labels: { label: string }[] }) => labels[0]?.label)).toEqual(LABELS);
    expect(code).toBe(0);
    if (process.arch === 'x64') expect(report.model.version).toMatch(/-int8$/);
  });

  test('has the list of hashes for fetching it from S3, and prints the hash of that list', async () => {
    const { SHA256SUMS: sums, ...hashes } = await hashesOf(at('materials'));
    const lines = (await readFile(join(at('materials'), 'SHA256SUMS'), 'utf8')).trim().split('\n');
    expect(Object.fromEntries(lines.map((line) => line.split('  ').reverse()))).toEqual(hashes);
    expect(first.stdout).toContain(`MODEL_SHA256=${sums} `);
  });

  test('labels images that are enqueued on a local service', async () => {
    const options = ['--port', '0', '--workers', '1', '--state-dir', at('state'), '--allow-host', images.host];
    const local = startCommand(['local', ...options, '--model', at('materials')]);
    try {
      await local.says(/^export RESULTS_BUCKET=.*\n/m);
      const environment = Object.fromEntries(
        [...local.stdout().matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
      );
      const urls = LABELS.flatMap((label) =>
        ['05', '10', '15'].map((name) => images.url(`/material/${label}/${name}.jpg`)),
      );
      const input = urls.map((url) => `${url}\n`);
      expect(await runCommand(['enqueue', '-', '--job', 'walls'], { environment, input })).toMatchObject({ code: 0 });
      expect(await runCommand(['wait', 'walls'], { environment })).toMatchObject({ code: 0 });
      const { stdout } = await runCommand(['results', 'walls'], { environment });
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(new Set(lines.map(({ url }) => url))).toEqual(new Set(urls));
      for (const { url, labels, model } of lines) {
        expect(url).toContain(`/material/${labels[0].label}/`);
        expect(labels).toHaveLength(3);
        expect(model.name).toBe('materials');
      }
    } finally {
      local.interrupt();
      await local.ended;
    }
  });

  test('can be taught again, like any model that ends in a softmax', async () => {
    const { code, stdout } = await teach(MATERIALS, 'second', '--base', at('materials'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).heldOut.right).toBeGreaterThanOrEqual(12 * 0.95);
    await using twice = await changedModel({ config: { activation: 'sigmoid' } });
    const refused = await teach(MATERIALS, 'third', '--base', twice.path);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('expected a model whose scores are a softmax, got softmax and sigmoid');
  });

  test('is replaced with --force, unless a file was added to it', async () => {
    await mkdir(join(at('other'), 'photos'));
    await writeFile(join(at('other'), 'photos/01.jpg'), 'mine');
    const before = await hashesOf(at('other'));
    const refused = await teach(MATERIALS, 'other', '--force');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('photos/01.jpg is in it, which SHA256SUMS does not list and --force would remove');
    expect(await hashesOf(at('other'))).toEqual(before);
    await rm(join(at('other'), 'photos'), { recursive: true });
    expect(await teach(MATERIALS, 'other', '--force', '--name', 'replaced')).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(join(at('other'), 'classifier.json'), 'utf8')).name).toBe('replaced');
    expect((await readdir(folder.path)).filter((name) => name.startsWith('other'))).toEqual(['other']);
  });

  test('photos in the model that would be replaced are not removed', async () => {
    await cp(MATERIALS, join(at('again'), 'photos'), { recursive: true });
    const refused = await teach(join(at('again'), 'photos'), 'again', '--force');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(await readdir(join(at('again'), 'photos'))).toEqual(LABELS);
  });
});

test('a base model that gives other scores with a replaced last layer is refused, and nothing is written', async () => {
  // Its features are made with the weights of the last layer, too.
  const T = attribute('T', [6, 1]);
  const weights = (name: string, values: number[], ...sizes: number[]) => {
    const content = Buffer.from(Float32Array.from(values).buffer);
    return node(
      name,
      'Const',
      [],
      [
        attribute('dtype', [6, 1]),
        attribute('value', [
          8,
          [
            [1, 1],
            [2, shape(...sizes)],
            [4, content],
          ],
        ]),
      ],
    );
  };
  const graph = [
    node('features', 'MatMul', ['mean', 'kernel'], [T]),
    node('product', 'MatMul', ['features', 'kernel'], [T]),
    node('sum', 'BiasAdd', ['product', 'bias'], [T]),
    node('scores', 'Softmax', ['sum'], [T]),
    weights('kernel', [1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3),
    weights('bias', [0, 0, 0], 3),
  ];
  await using base = await changedModel({
    config: { inputSize: 32, output: undefined, activation: 'none', labels: ['red', 'green', 'blue'] },
    files: {
      'saved_model.pb': channelMeans(32, 'float32', undefined, { graph, answer: 'scores:0' }),
      'labels.txt': null,
    },
  });
  const { code, stdout, stderr } = await teach(MATERIALS, 'shared', '--base', base.path);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    'this base cannot be taught: expected scores that differ from those of the training by at most',
  );
  expect((await readdir(folder.path)).filter((name) => name.includes('shared'))).toEqual([]);
});

test('a command that is interrupted leaves no model', async () => {
  const running = startCommand(['model', 'teach', MATERIALS, '--out', at('interrupted')]);
  await eventually('the first photos', () => running.stderr().includes('looked at 6/60'), 60_000);
  running.interrupt();
  await running.ended;
  expect((await readdir(folder.path)).filter((name) => name.includes('interrupted'))).toEqual([]);
});

test('a command that is interrupted while it writes leaves a complete model or nothing', async () => {
  const running = startCommand(['model', 'teach', MATERIALS, '--out', at('cut')]);
  await eventually(
    'a folder that is being written',
    async () => (await readdir(folder.path)).some((name) => name.startsWith('cut')),
    120_000,
  );
  running.interrupt();
  await running.ended;
  const left = (await readdir(folder.path)).filter((name) => name.startsWith('cut'));
  expect(left.filter((name) => name !== 'cut')).toEqual([]);
});
