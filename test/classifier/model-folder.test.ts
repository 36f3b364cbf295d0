import { describe, expect, test } from '@jest/globals';
import { ModelFolderError, readModelFolder } from '../../shared/classifier/model-folder.ts';
import { type Change, changedModel, DEFAULT_MODEL } from './model-folders.ts';

test('the default model folder is read: its configuration and a label a class', async () => {
  const { path, config, labels } = await readModelFolder(DEFAULT_MODEL);
  expect(path).toBe(DEFAULT_MODEL);
  expect(config).toMatchObject({ name: 'efficientnet-lite0', inputSize: 224, licence: 'Apache-2.0' });
  expect(labels).toHaveLength(1_000);
  expect(labels[388]).toBe('giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca');
});

test('labels may have Windows line ends, and no end at the last line', async () => {
  await using folder = await changedModel({ files: { 'labels.txt': 'cat\r\ndog\r\ncup' } });
  expect((await readModelFolder(folder.path)).labels).toEqual(['cat', 'dog', 'cup']);
});

/** What the folder's error must name: the file, and the field or the line. */
const WRONG: [what: string, change: Change, names: RegExp[]][] = [
  [
    'no classifier.json',
    { files: { 'classifier.json': null } },
    [/classifier\.json cannot be read/, /saved_model\.pb/],
  ],
  ['no labels.txt', { files: { 'labels.txt': null } }, [/labels\.txt cannot be read/]],
  ['classifier.json that is no JSON', { files: { 'classifier.json': '{' } }, [/classifier\.json: expected JSON/]],
  ['classifier.json that is no object', { files: { 'classifier.json': '[]' } }, [/classifier\.json/, /object/]],
  ['a name that is missing', { config: { name: undefined } }, [/classifier\.json/, /at name/, /expected string/]],
  ['an empty version', { config: { version: '' } }, [/at version/]],
  ['an inputSize of words', { config: { inputSize: 'large' } }, [/at inputSize/, /expected number/]],
  ['an inputSize of 0', { config: { inputSize: 0 } }, [/at inputSize/]],
  ['an inputSize beyond reason', { config: { inputSize: 100_000 } }, [/at inputSize/]],
  ['a crop of 0', { config: { crop: 0 } }, [/at crop/]],
  ['a crop above 1', { config: { crop: 1.5 } }, [/at crop/]],
  ['an unknown interpolation', { config: { interpolation: 'bicubic' } }, [/at interpolation/, /cubic/]],
  ['a mean of one number', { config: { mean: 127 } }, [/at mean/]],
  ['a std of two numbers', { config: { std: [1, 2] } }, [/at std/]],
  ['no licence', { config: { licence: undefined } }, [/at licence/]],
  ['a field that nobody knows', { config: { interpolatoin: 'cubic' } }, [/interpolatoin/]],
  ['labels with an empty line', { files: { 'labels.txt': 'cat\n\ndog\n' } }, [/labels\.txt/, /line 2 is empty/]],
  ['labels with no line', { files: { 'labels.txt': '' } }, [/labels\.txt/, /line 1 is empty/]],
];

describe('names what is wrong:', () => {
  test.each(WRONG)('%s', async (_what, change, names) => {
    await using folder = await changedModel(change);
    const error = await readModelFolder(folder.path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelFolderError);
    for (const name of [...names, new RegExp(folder.path)]) expect((error as Error).message).toMatch(name);
  });

  test('a folder that is not there', async () => {
    await expect(readModelFolder('/no/such/model')).rejects.toThrow(/expected a model folder .* at \/no\/such\/model/);
  });
});
