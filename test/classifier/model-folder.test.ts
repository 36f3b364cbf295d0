import { describe, expect, test } from '@jest/globals';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { type Change, changedModel, DEFAULT_MODEL } from './model-folders.ts';

test('the default model folder is read: its configuration and one label per class', async () => {
  const { path, config, labels } = await readModelFolder(DEFAULT_MODEL);
  expect(path).toBe(DEFAULT_MODEL);
  expect(config).toMatchObject({ name: 'efficientnet-lite0', inputSize: 224, licence: 'Apache-2.0' });
  expect(labels).toHaveLength(1_000);
  expect(labels[388]).toBe('giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca');
});

test('labels may have Windows line ends, and a last line without a line end', async () => {
  await using folder = await changedModel({ files: { 'labels.txt': 'cat\r\ndog\r\ncup' } });
  expect((await readModelFolder(folder.path)).labels).toEqual(['cat', 'dog', 'cup']);
});

test('labels may be in classifier.json', async () => {
  await using folder = await changedModel({ config: { labels: ['cat', 'dog'] }, files: { 'labels.txt': null } });
  expect(await readModelFolder(folder.path)).toMatchObject({ labels: ['cat', 'dog'], labelsFrom: 'classifier.json' });
});

test('missing fields have their defaults', async () => {
  await using folder = await changedModel({ config: { signature: undefined, output: undefined } });
  const { config } = await readModelFolder(folder.path);
  expect(config).toEqual({
    name: 'efficientnet-lite0',
    version: '1',
    licence: 'Apache-2.0',
    inputSize: 224,
    crop: 0.875,
    interpolation: 'cubic',
    activation: 'none',
  });
});

test.each([
  [[0, 1], { mean: 0, std: 255 }],
  [[-1, 1], { mean: 127.5, std: 127.5 }],
  [[0, 255], { mean: 0, std: 1 }],
])('the range %j is a mean and a std', async (range, { mean, std }) => {
  await using folder = await changedModel({ config: { range } });
  const { config } = await readModelFolder(folder.path);
  expect(config).toMatchObject({ mean: [mean, mean, mean], std: [std, std, std] });
});

describe('the format of a model.json is detected', () => {
  test.each([
    ['by its name', { format: 'graph-model' }, 'graph-model'],
    ['by its name', { format: 'layers-model' }, 'layers-model'],
    ['by the nodes of a graph', { modelTopology: { node: [] } }, 'graph-model'],
    ['by the configuration of Keras', { modelTopology: { model_config: {} } }, 'layers-model'],
    ['by the class of a Keras model', { modelTopology: { class_name: 'Sequential' } }, 'layers-model'],
  ])('%s: %j', async (_how, content, format) => {
    await using folder = await tfjsFolder(JSON.stringify(content));
    expect(await readModelFolder(folder.path)).toMatchObject({ format });
  });

  test.each([
    ['no JSON', '{', /model\.json: expected JSON/],
    ['nothing that is known', '{}', /found no format and no topology of either/],
    ['null', 'null', /found no format/],
    ['another format', '{"format":"onnx"}', /found the format "onnx"/],
  ])('or is named in an error: %s', async (_what, content, message) => {
    await using folder = await tfjsFolder(content);
    await expect(readModelFolder(folder.path)).rejects.toThrow(message);
  });

  function tfjsFolder(content: string) {
    return changedModel({ files: { 'saved_model.pb': null, 'model.json': content } });
  }
});

/** What the folder's error must name: the file, and the field or the line. */
const WRONG: [what: string, change: Change, names: RegExp[]][] = [
  [
    'no classifier.json',
    { files: { 'classifier.json': null } },
    [/classifier\.json: expected a file that says how the model is used/, /docs\/models\.md/],
  ],
  [
    'no labels.txt',
    { files: { 'labels.txt': null } },
    [/expected labels in labels\.txt or in classifier\.json, found none/],
  ],
  ['classifier.json that is no JSON', { files: { 'classifier.json': '{' } }, [/classifier\.json: expected JSON/]],
  ['classifier.json that is no object', { files: { 'classifier.json': '[]' } }, [/classifier\.json/, /object/]],
  ['a name that is missing', { config: { name: undefined } }, [/classifier\.json/, /at name/, /expected string/]],
  ['an empty version', { config: { version: '' } }, [/at version/]],
  ['an inputSize of words', { config: { inputSize: 'large' } }, [/at inputSize/, /expected number/]],
  ['an inputSize of 0', { config: { inputSize: 0 } }, [/at inputSize/]],
  ['an inputSize beyond reason', { config: { inputSize: 100_000 } }, [/at inputSize/]],
  ['a crop of 0', { config: { crop: 0 } }, [/at crop/]],
  ['a crop above 1', { config: { crop: 1.5 } }, [/at crop/]],
  ['a std of 0', { config: { std: [1, 0, 1] } }, [/at std/, /above 0/]],
  ['a range of one number', { config: { range: [1] } }, [/at range/]],
  ['a range the wrong way round', { config: { range: [1, -1] } }, [/at range/, /low below high/]],
  [
    'a range beside a mean',
    { config: { range: [-1, 1], mean: [1, 1, 1] } },
    [/at range/, /either range or mean and std/],
  ],
  ['an activation that nobody knows', { config: { activation: 'relu' } }, [/at activation/, /softmax/]],
  ['a threshold of 0', { config: { threshold: 0 } }, [/at threshold/]],
  ['a threshold in percent', { config: { threshold: 50 } }, [/at threshold/]],
  ['labels that are a text', { config: { labels: 'cat,dog' } }, [/at labels/, /expected array/]],
  ['a label that is empty', { config: { labels: ['cat', ''] } }, [/at labels\[1\]/]],
  ['labels in two places', { config: { labels: ['cat'] } }, [/either in classifier\.json or in labels\.txt/]],
  [
    'no model',
    { files: { 'saved_model.pb': null } },
    [/with saved_model\.pb or model\.json/, /found classifier\.json, labels\.txt/],
  ],
  ['two models', { files: { 'model.json': '{}' } }, [/expected one model, found saved_model\.pb and model\.json/]],
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
