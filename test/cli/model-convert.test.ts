import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { stackFolder, transposed } from '../classifier/layer-stacks.ts';
import { NSFWJS_MODELS, type NsfwjsModel, nsfwjsFolder } from '../classifier/nsfwjs-folders.ts';
import { graphFolder, METADATA, teachableMachineFolder } from '../classifier/tfjs-folders.ts';
import { type CommandRun, runCommand } from '../support/command.ts';

const COFFEE = join(import.meta.dirname, '../../samples/photos/coffee.jpg');
const DEFAULT_MODEL = join(import.meta.dirname, '../../models/efficientnet-lite0');

/** Models are loaded and measured on a machine that may be busy. */
jest.setTimeout(120_000);

let place: TemporaryFolder;
let out: string;
beforeEach(async () => {
  place = await createTemporaryFolder();
  out = join(place.path, 'converted');
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

function convert(...args: string[]): Promise<CommandRun> {
  return runCommand(['model', 'convert', ...args]);
}

/** What a model says of a photo, by its command. */
async function labelsOf(folder: string): Promise<{ label: string; score: number }[]> {
  const { stdout } = await runCommand(['classify', '--json', '--model', folder, COFFEE]);
  return JSON.parse(stdout).labels;
}

async function expectSameLabels(one: string, other: string): Promise<void> {
  const [labels, others] = [await labelsOf(one), await labelsOf(other)];
  expect(others.map(({ label }) => label)).toEqual(labels.map(({ label }) => label));
  for (const [index, { score }] of others.entries()) expect(score).toBeCloseTo(labels[index]?.score ?? Number.NaN, 4);
}

describe.each(Object.keys(NSFWJS_MODELS) as NsfwjsModel[])('the %s of nsfwjs', (name) => {
  test('becomes a SavedModel with the same labels, and the command says how much faster it is', async () => {
    await using folder = await nsfwjsFolder(name);
    const { code, stdout, stderr } = await convert(folder.path, out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/: a SavedModel of the (layers|graph) model in /);
    expect(stdout).toMatch(/^on 13 photos: the same best label for each, scores differ by at most \de-\d$/m);
    for (const images of [1, 8]) {
      const times = '[\\d.]+ ms per image before, [\\d.]+ ms now, [\\d.]+ times as fast';
      expect(stdout).toMatch(new RegExp(`^batch of ${images}: ${times}$`, 'm'));
    }
    await expectSameLabels(folder.path, out);
    const check = await runCommand(['model', 'check', '--json', out, COFFEE]);
    expect(JSON.parse(check.stdout)).toMatchObject({ format: 'saved-model', warnings: [] });
  });
});

test('a Teachable Machine export becomes a SavedModel beside it that needs no metadata.json', async () => {
  await using folder = await teachableMachineFolder();
  const { code, stdout } = await convert(folder.path, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    from: folder.path,
    to: `${folder.path}-saved-model`,
    format: 'layers-model',
    agreement: { otherBest: 0 },
    timings: [{ images: 1 }, { images: 8 }],
  });
  expect(code).toBe(0);
  await using made = { path: `${folder.path}-saved-model`, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  expect((await readdir(made.path)).sort()).toEqual(['classifier.json', 'saved_model.pb']);
  await expectSameLabels(folder.path, made.path);
  const { stdout: line } = await runCommand(['classify', '--json', '--model', made.path, COFFEE]);
  expect(JSON.parse(line)).toMatchObject({ model: { name: METADATA.modelName } });
});

test('the folder has the mode of other folders and the license of the weights, even when the model is named with a dot', async () => {
  await using folder = await teachableMachineFolder();
  await writeFile(join(folder.path, 'LICENSE'), 'their licence');
  expect(await convert(`${folder.path}/.`)).toMatchObject({ code: 0 });
  const made = `${folder.path}-saved-model`;
  expect(await readFile(join(made, 'LICENSE'), 'utf8')).toBe('their licence');
  expect((await stat(made)).mode & 0o777).toBe(0o777 & ~process.umask());
  await rm(made, { recursive: true });
});

/** Runs the command where nothing may come of it. */
async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await convert(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(await readdir(place.path)).toEqual([]);
  return stderr;
}

test('names what cannot be converted, and leaves nothing behind', async () => {
  await using folder = await stackFolder(transposed);
  expect(await refused(folder.path, out)).toBe(
    `labelqueue: ${folder.path}: this model cannot be converted: it computes Conv2DBackpropInput, which this program cannot write\n`,
  );
});

/** A graph model with chance in it: what TensorFlow.js computed once is not what it computes again. */
async function noisyFolder(): Promise<TemporaryFolder> {
  const folder = await graphFolder({ output: 'noisy' });
  const [model, weights] = ['model.json', 'group1-shard1of1.bin'].map((name) => join(folder.path, name)) as [
    ...[string, string],
  ];
  const content = JSON.parse(await readFile(model, 'utf8'));
  const [float, whole] = ['DT_FLOAT', 'DT_INT32'].map((type) => ({ type }));
  const axes = content.modelTopology.node.find(({ name }: { name: string }) => name === 'axes');
  content.modelTopology.node.push(
    { ...axes, name: 'sides' },
    { name: 'noise', op: 'RandomUniform', input: ['sides'], attr: { dtype: float, T: whole, seed: {}, seed2: {} } },
    { name: 'noisy', op: 'AddV2', input: ['means', 'noise'], attr: { T: float } },
  );
  content.weightsManifest[0].weights.push({ name: 'sides', shape: [2], dtype: 'int32' });
  content.signature.outputs = { 'noisy:0': { ...content.signature.outputs['means:0'], name: 'noisy:0' } };
  await writeFile(model, JSON.stringify(content));
  await writeFile(weights, Buffer.concat([await readFile(weights), Buffer.from(Int32Array.of(1, 3).buffer)]));
  return folder;
}

test('a SavedModel that gives other scores is not kept', async () => {
  await using folder = await noisyFolder();
  expect(await refused(folder.path, out)).toMatch(
    /cannot be converted: expected scores that differ by at most 0\.001, those of the SavedModel differ by 0\.\d+\. Nothing was kept$/m,
  );
});

test('a SavedModel needs no conversion', async () => {
  expect(await refused(DEFAULT_MODEL, out)).toMatch(/got a SavedModel, which needs no conversion$/m);
});

test('what is not a model folder is refused as by other commands', async () => {
  expect(await refused(join(place.path, 'nowhere'), out)).toMatch(/^labelqueue: no folder .*nowhere$/m);
  await using empty = await createTemporaryFolder();
  expect(await refused(empty.path, out)).toMatch(/expected a model folder with saved_model\.pb or model\.json/);
});

test('neither replaces an existing folder nor creates its parent', async () => {
  await using folder = await graphFolder({ output: 'means' });
  expect(await refused(folder.path, join(place.path, 'no/such'))).toMatch(
    /^labelqueue: no folder .*no: create it first$/m,
  );
  await mkdir(out);
  const { code, stderr } = await convert(folder.path, out);
  expect(stderr).toBe(`labelqueue: ${out} already exists; choose another folder, or remove it first\n`);
  expect(code).toBe(1);
});
