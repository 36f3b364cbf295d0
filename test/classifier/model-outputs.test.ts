import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { checkModel } from '../../cli/model/check/check-model.ts';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { MEANS_MODEL } from './s3-model.ts';
import { type Additions, attribute, channelMeans, type Field, node } from './tiny-model.ts';

/** As TensorFlow numbers its types. */
const FLOAT = 1;
const INT64 = 9;
const HALF = 19;

const [folder] = await sharedByTests(createTemporaryFolder());
afterEach(() => {
  jest.restoreAllMocks();
});

function cast(name: string, type: number): Field {
  return node(name, 'Cast', ['mean'], [attribute('SrcT', [6, FLOAT]), attribute('DstT', [6, type])]);
}

async function load(additions: Additions) {
  for (const [name, content] of Object.entries(MEANS_MODEL)) await folder.write(name, content);
  await folder.write('saved_model.pb', channelMeans(2, 'float32', [-1, 2, 2, 3], additions));
  return readModelFolder(folder.path);
}

/** A picture of two by two: all red. */
const RED = new Uint8Array([9, 0, 0, 9, 0, 0, 9, 0, 0, 9, 0, 0]);

const BESIDE: Additions = {
  graph: [cast('whole', INT64)],
  outputs: [{ name: 'classes', tensor: 'whole:0', type: INT64, sizes: [-1, 3] }],
};

describe('an output of int64 beside the scores', () => {
  test('is ignored: TensorFlow prints one line when the model is loaded, and none when images are labeled', async () => {
    const printed = (['log', 'warn', 'error'] as const).map((method) => jest.spyOn(console, method));
    const classifier = await loadClassifier(await load(BESIDE));
    expect(classifier.notes).toEqual(['the output classes of int64 is not used: the scores are those of means']);
    expect(classifier.infer([RED, RED], 1)).toMatchObject([[{ label: 'red', score: 9 }], [{ label: 'red', score: 9 }]]);
    classifier.dispose();
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  test('causes a warning of model check', async () => {
    const { warnings } = await checkModel(await load(BESIDE), 'auto', [], 1);
    expect(warnings.map(({ code }) => code)).toEqual(expect.arrayContaining(['output_not_read']));
  });
});

test.each([
  ['the scores', { answer: 'half:0', answerType: HALF }, 'means'],
  ['beside the scores', { outputs: [{ name: 'halves', tensor: 'half:0', type: HALF, sizes: [-1, 3] }] }, 'halves'],
])('an output of float16 is refused in one line that says so: %s', async (_what, additions, name) => {
  const model = await load({ graph: [cast('half', HALF)], ...additions });
  await expect(loadClassifier(model)).rejects.toThrow(
    new RegExp(
      `^[^\\n]*: ${name} of the signature serving_default is float16 .*: export the model with a cast to float32.*$`,
    ),
  );
});

test('scores of whole numbers are refused in one line that names their output', async () => {
  const model = await load({ graph: [cast('whole', INT64)], answer: 'whole:0', answerType: INT64 });
  await expect(loadClassifier(model)).rejects.toThrow(
    /^[^\n]*: expected scores of float32, got int64 in the output means: .*$/,
  );
});

test('scores that are not numbers are refused in one line that says so', async () => {
  // 0 / 0 for black images.
  const nothing = node('nan', 'Div', ['mean', 'mean'], [attribute('T', [6, FLOAT])]);
  const model = await load({ graph: [nothing], answer: 'nan:0' });
  await expect(loadClassifier(model)).rejects.toThrow(
    /^[^\n]*: expected the model to return scores .* finite scores, got NaN$/,
  );
});
