import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { checkSavedModel } from '../../shared/classifier/model/check-saved-model.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { call, checkedModels, copying, FLOAT, functionOf, library, STRING, text } from './checked-models.ts';
import { DEFAULT_MODEL } from './model-folders.ts';
import { graphFolder } from './tfjs-folders.ts';
import { type Additions, attribute, type Field, node } from './tiny-model.ts';

const { folder, withModel, refusalOf } = await checkedModels();

describe('a model that copies a file', () => {
  test('runs when it is trusted', async () => {
    await folder.write('secret.txt', 'secret');
    const copy = join(folder.path, 'copy.txt');
    const path = await withModel(copying(join(folder.path, 'secret.txt'), copy));
    const classifier = await loadClassifier(await readModelFolder(path, true));
    classifier.dispose();
    expect(await readFile(copy, 'utf8')).toBe('secret');
  });

  test('is refused by the names of its operations before anything is run', async () => {
    const copy = join(folder.path, 'never.txt');
    const path = await withModel(copying(join(folder.path, 'classifier.json'), copy));
    const error = await loadClassifier(await readModelFolder(path)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelFolderError);
    expect((error as Error).message).toMatch(
      /saved_model\.pb: expected operations that compute, got ReadFile \(stolen\), WriteFile \(kept\): .*--trust-model/,
    );
    expect(existsSync(copy)).toBe(false);
  });
});

test.each(['', 'int8', '../integer-sums'])(
  'what comes with the program computes and does nothing else: %j',
  async (precision) => {
    await expect(checkSavedModel(join(DEFAULT_MODEL, precision))).resolves.toBeUndefined();
  },
);

describe('refused wherever they are:', () => {
  test.each([
    'ReadFile',
    'WriteFile',
    'MatchingFiles',
    'ImmutableConst',
    'PrintV2',
    'PyFunc',
    'EagerPyFunc',
    'RpcCall',
    'XlaCallModule',
    'TextLineDataset',
    'FixedUnigramCandidateSampler',
    'InitializeTableFromTextFileV2',
    'DecodeProtoV2',
    'Abort',
    'AnOperationOfTomorrow',
    '__proto__',
    'constructor',
    '',
  ])('%j', async (operation) => {
    expect(await refusalOf({ graph: [node('bad', operation, [], [])] })).toContain(`got ${operation} (bad)`);
  });

  test('in a function that nothing calls', async () => {
    const graph = [library(functionOf('idle', [], [node('bad', 'ReadFile', [], [])]))];
    expect(await refusalOf({ graph })).toContain('ReadFile (bad in the function idle)');
  });

  test('in a function of a function', async () => {
    const inner = functionOf('inner', [], [node('bad', 'PyFunc', [], [])]);
    const outer = functionOf('outer', [], [call('calls', 'inner')]);
    expect(await refusalOf({ graph: [library(outer, inner), call('calls', 'outer')] })).toContain('PyFunc (bad in the');
  });

  test('named as if they were functions of the model', async () => {
    expect(await refusalOf({ graph: [call('calls', 'ReadFile')] })).toContain('ReadFile (calls)');
    const shadow = functionOf('ReadFile', [], []);
    expect(await refusalOf({ graph: [library(shadow), node('bad', 'ReadFile', [], [])] })).toContain('ReadFile (bad)');
  });

  test('among the attributes of a function that is named by an attribute', async () => {
    const nested: Field = [
      10,
      [
        [1, 'harmless'],
        [
          2,
          [
            [1, 'f'],
            [2, [[10, [[1, 'WriteFile']]]]],
          ],
        ],
      ],
    ];
    const graph = [
      library(functionOf('harmless', [], [])),
      node('calls', 'PartitionedCall', [], [attribute('f', nested)]),
    ];
    expect(await refusalOf({ graph })).toContain('WriteFile (calls)');
  });

  test('in a second graph, which one reader of protocol buffers merges with the first and another takes in its place', async () => {
    expect(await refusalOf({ metaGraph: [[2, [node('bad', 'ReadFile', [], [])]]] })).toContain('ReadFile (bad)');
  });

  test('at most five are named', async () => {
    const graph = Array.from({ length: 9 }, (_, index) => node(`n${index}`, `Unknown${index}`, [], []));
    expect(await refusalOf({ graph })).toMatch(/Unknown0 .*Unknown4 \(n4\) and 4 others/);
  });
});

describe('checkpoints', () => {
  const saver: Field = [
    3,
    [
      [1, 'path:0'],
      [2, 'saved:0'],
      [3, 'restored'],
    ],
  ];
  const path = node('path', 'Placeholder', [], [attribute('dtype', [6, STRING])]);
  /** As Keras writes them: a function that restores, one that saves, and the loader gives them the path. */
  const asKeras = (argument: string): Additions => ({
    graph: [
      path,
      text('elsewhere', '/elsewhere'),
      call('restored', 'restore', ['path', 'elsewhere']),
      call('saved', 'save', ['path']),
      library(
        functionOf('restore', ['file_prefix', 'other'], [node('read', 'RestoreV2', [argument], [])]),
        functionOf('save', ['file_prefix'], [node('merge', 'MergeV2Checkpoints', ['file_prefix'], [])]),
      ),
    ],
    metaGraph: [saver],
  });

  test('may be saved and restored by what Keras and TensorFlow 1 put into a model', async () => {
    await expect(checkSavedModel(await withModel(asKeras('file_prefix')))).resolves.toBeUndefined();
    const graph = [path, node('restored', 'RestoreV2', ['path'], []), node('saved', 'SaveV2', ['path'], [])];
    await expect(checkSavedModel(await withModel({ graph, metaGraph: [saver] }))).resolves.toBeUndefined();
  });

  test('are not restored from elsewhere', async () => {
    expect(await refusalOf(asKeras('other'))).toContain('RestoreV2 (read in the function restore)');
    const graph = [text('from', '/elsewhere'), node('restored', 'RestoreV2', ['from'], [])];
    expect(await refusalOf({ graph, metaGraph: [saver] })).toContain('RestoreV2 (restored)');
  });

  test.each(['SaveV2', 'MergeV2Checkpoints', 'RestoreV2'])(
    'are not touched by %s on the way to the answer',
    async (operation) => {
      const graph = [
        path,
        node('checkpoint', operation, ['path'], []),
        node('answer', 'Identity', ['mean', '^checkpoint'], [attribute('T', [6, FLOAT])]),
      ];
      expect(await refusalOf({ graph, metaGraph: [saver], answer: 'answer:0' })).toContain(`${operation} (checkpoint)`);
    },
  );

  test('are not touched when the model is initialized', async () => {
    const initialization: Field = [
      4,
      [
        [1, 'saved_model_main_op'],
        [2, [[1, [[1, 'first']]]]],
      ],
    ];
    const graph = [path, node('first', 'SaveV2', ['path'], [])];
    expect(await refusalOf({ graph, metaGraph: [initialization] })).toContain('SaveV2 (first)');
  });

  test('are not touched by a function that TensorFlow may take in place of another', async () => {
    const graph = [library(functionOf('other', [], [node('write', 'SaveV2', [], [])], ['api_implements']))];
    expect(await refusalOf({ graph })).toContain('SaveV2 (write in the function other)');
  });
});

test('a graph model with an operation that does not compute is refused by its name, and not when it is trusted', async () => {
  await using graph = await graphFolder({ output: 'means' });
  const file = join(graph.path, 'model.json');
  const model = JSON.parse(await readFile(file, 'utf8'));
  model.modelTopology.library = {
    function: [
      { signature: { name: 'idle', inputArg: [], outputArg: [] }, ret: {}, nodeDef: [{ name: 'bad', op: 'ReadFile' }] },
    ],
  };
  await graph.write('model.json', JSON.stringify(model));
  await expect(loadClassifier(await readModelFolder(graph.path))).rejects.toThrow(
    /model\.json: .* got ReadFile \(bad\)/,
  );
  const trusted = await loadClassifier(await readModelFolder(graph.path, true));
  trusted.dispose();
});
