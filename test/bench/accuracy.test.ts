import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readLabelList } from '../../bench/accuracy/label-list.ts';
import { measureAccuracy } from '../../bench/accuracy/measure-accuracy.ts';
import { AccuracyTally, accuracyTable } from '../../bench/accuracy/tally.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { changedModel } from '../classifier/model-folders.ts';
import { channelMeans } from '../classifier/tiny-model.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SAMPLES = join(import.meta.dirname, '../../samples/photos');

const [folder] = await sharedByTests(createTemporaryFolder());

const LABELS = ['red', 'green', 'light, blue'];

async function listOf(text: string) {
  const images = await readLabelList(await folder.write('labels.csv', text), LABELS);
  return images.map(({ file, right }) => [file, ...right]);
}

describe('a list of labels', () => {
  test.each([
    ['commas', 'a.jpg,0\nb c.jpg, 2\n'],
    ['tabs', 'a.jpg\t0\nb c.jpg\t2\n'],
    ['blanks', 'a.jpg 0\nb c.jpg 2\n'],
    ['labels in place of numbers', 'a.jpg\tred\nb c.jpg\tlight, blue\n'],
    ['a head, Windows line ends and a byte order mark', '\uFEFFfile,class\r\na.jpg,0\r\nb c.jpg,2\r\n'],
  ])('may have %s', async (_, text) => {
    expect(await listOf(text)).toEqual([
      ['a.jpg', 0],
      ['b c.jpg', 2],
    ]);
  });

  test('may have several right classes for an image', async () => {
    expect(await listOf('a.jpg,0|1\n')).toEqual([['a.jpg', 0, 1]]);
  });

  test.each([
    ['a.jpg,0\nb.jpg,3\n', /labels\.csv, line 2: expected .* a class from 0 to 2 or its label/],
    ['a.jpg,0\nb.jpg\n', /line 2: expected the name of a file and a class/],
    ['a.jpg,0\nb.jpg,-1\n', /line 2: expected/],
    ['file,class\n', /there is no such line/],
    ['', /there is no such line/],
  ])('is refused with its line: %j', async (text, message) => {
    await expect(listOf(text)).rejects.toThrow(message);
  });
});

test('counts top-1 hits, top-5 hits, and agreement with floats', () => {
  const tally = new AccuracyTally(['float32', 'int8'], 'float32');
  const add = (right: number[], floats: number[], int8: number[]) =>
    tally.add(
      new Set(right),
      new Map([
        ['float32', floats],
        ['int8', int8],
      ]),
    );
  add([1], [1, 2, 3, 4, 5], [2, 1, 3, 4, 5]);
  add([9], [1, 2, 3, 4, 9], [1, 2, 3, 4, 8]);
  add([7, 8], [8, 2, 3, 4, 9], [8, 2, 3, 4, 9]);
  expect(tally.all).toEqual([
    { name: 'float32', images: 3, top1: 2, top5: 3, asFloats: 3 },
    { name: 'int8', images: 3, top1: 1, top5: 2, asFloats: 2 },
  ]);
  expect(accuracyTable(tally.all)).toContain('| int8 | 3 | 1 (33.3 %) | 2 (66.7 %) | 2 (66.7 %) |');
});

describe('the precisions of a model', () => {
  test('are its own model and those in its subfolders; what does not run and what is not an image is named', async () => {
    const means = channelMeans(8, 'float32');
    await using changed = await changedModel({
      config: { inputSize: 8, output: 'means' },
      files: {
        'saved_model.pb': means,
        'labels.txt': 'red\ngreen\nblue\n',
        'int8/saved_model.pb': means,
        'int8-of-seven-bits/saved_model.pb': means,
        'broken/saved_model.pb': 'no model',
        'notes/readme.txt': 'no precision',
      },
    });
    const images = join(folder.path, 'images');
    await mkdir(images);
    for (const name of ['coffee.jpg', 'rocket.jpg']) await cp(join(SAMPLES, name), join(images, name));
    await cp(join(SAMPLES, 'not-an-image.jpg'), join(images, 'none.jpg'));
    const list = await readLabelList(
      await folder.write('right.csv', 'coffee.jpg,0\nnone.jpg,0\nrocket.jpg,0|1|2\nmissing.jpg,1\n../right.csv,1\n'),
      LABELS,
    );
    const seen: number[] = [];
    const run = await measureAccuracy(await readModelFolder(changed.path, true), list, {
      folder: images,
      onProgress: (done) => seen.push(done),
    });
    expect(run.accuracy.map(({ name }) => name)).toEqual(['float32', 'int8', 'int8-of-seven-bits']);
    // A picture of coffee is reddest, and of three classes one is always right in five.
    const all = { images: 2, top1: 2, top5: 2, asFloats: 2 };
    for (const each of run.accuracy) expect(each).toMatchObject(all);
    expect(run.notRun).toEqual([expect.objectContaining({ name: 'broken', reason: expect.stringMatching(/\S/) })]);
    expect(run.leftOut.map(({ file }) => file)).toEqual(['none.jpg', 'missing.jpg', '../right.csv']);
    expect(run.leftOut.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^not_an_image/),
      expect.stringMatching(/no such file/),
      expect.stringMatching(/below the folder/),
    ]);
    expect(seen).toEqual([5]);
  }, 60_000);
});
