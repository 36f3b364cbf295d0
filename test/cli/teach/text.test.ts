import { expect, test } from '@jest/globals';
import { withoutCopies } from '../../../cli/teach/copies.ts';
import type { TaughtPhoto } from '../../../cli/teach/photo-features.ts';
import type { Teaching } from '../../../cli/teach/teaching.ts';
import { teachingSummary } from '../../../cli/teach/teaching-json.ts';
import { teachingText } from '../../../cli/teach/teaching-text.ts';
import { warningsOf } from '../../../cli/teach/warnings.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';

const MODEL = { path: '/models/my model', name: 'mine', version: 'abc', sha256: 'f00' };

function photo(name: string, label = 'a'): TaughtPhoto {
  const none = new Float32Array();
  return { name, label, source: name, sha256: name, features: none, views: none, outline: none };
}

function teaching(labels: readonly string[], given: Partial<Teaching> = {}): Teaching {
  return {
    from: 'photos',
    seed: 1,
    views: 8,
    labels: labels.map((label) => ({ label, training: 16, heldOut: 4, right: 4 })),
    accuracy: { photos: 4 * labels.length, right: 4 * labels.length },
    confusion: labels.map((_, row) => labels.map((__, column) => (row === column ? 4 : 0))),
    arithmetic: 'float32',
    inFloats: undefined,
    epochs: { best: 5, run: 5 },
    unsure: [],
    copies: [],
    pairs: [],
    pairCount: 0,
    acrossLabels: [],
    failures: [],
    leftOut: new Map(),
    warnings: [],
    ...given,
  };
}

test('a few labels get a table, with long names cut', () => {
  const text = teachingText(teaching(['cat', 'a label that is rather long']), MODEL);
  expect(text).toContain(
    'tested                        cat  a label that …\n' +
      'cat                             4               0\n' +
      'a label that is rather long     0               4\n',
  );
  expect(text).toContain('accuracy  100.0 %, 8 of 8 photos (float32)\n');
  expect(text).toContain("classify --model '/models/my model' photo.jpg\n");
});

test('many labels get a list of confusions, the most frequent first', () => {
  const labels = Array.from({ length: 12 }, (_, index) => `label ${index}`);
  const confusion = labels.map((_, row) => labels.map((__, column) => (row === column ? 4 : 0)));
  (confusion[3] as number[])[7] = 2;
  (confusion[9] as number[])[0] = 3;
  expect(teachingText(teaching(labels, { confusion }), MODEL)).toContain(
    'mixed up most often\n  label 9 taken for label 0: 3\n  label 3 taken for label 7: 2\n',
  );
  expect(teachingText(teaching(labels), MODEL)).not.toContain('mixed up');
});

test('no text contains signatures of URLs, and a path keeps its question mark', () => {
  const signed = photo('https://host.example/a.jpg?X-Amz-Signature=secret');
  const path = photo('what?.jpg', 'b');
  const both = { one: signed, other: path, likeness: 0.99 };
  const alike = { groups: [], pairs: [both], pairCount: 1, acrossLabels: [both], divided: [] };
  const warnings = warningsOf([], alike);
  expect(warnings[0]?.message).toMatch(/^https:\/\/host\.example\/a\.jpg and what\?\.jpg: nearly the same photo/);
  const judged = { photo: signed, heldOut: true, score: 0.5, best: 'b', bestScore: 0.6 };
  const failures = [{ ...signed, failure: new ImageFailure('corrupt', 'cut off') }];
  const copies = [{ copy: signed, of: path }];
  const text = teachingText(
    teaching(['a', 'b'], { pairs: [both], pairCount: 1, unsure: [judged], failures, copies, warnings }),
    MODEL,
  );
  expect(text).not.toContain('secret');
  expect(text.match(/a\.jpg/g)).toHaveLength(5);
  expect(() => withoutCopies([signed, { ...path, sha256: signed.sha256 }])).toThrow(
    'the same file under two: https://host.example/a.jpg (a) and what?.jpg (b)',
  );
});

test('long lists are cut and have their total; names cannot move the cursor', () => {
  const hostile = photo('a\u001b[2J\n.jpg');
  const text = teachingText(
    teaching(['a', 'b'], {
      pairs: Array.from({ length: 7 }, () => ({ one: hostile, other: photo('b.jpg'), likeness: 0.95 })),
      pairCount: 2_000,
      copies: [{ copy: hostile, of: photo('c.jpg') }],
      failures: Array.from({ length: 8 }, () => ({ ...hostile, failure: new ImageFailure('corrupt', 'cut\noff') })),
      leftOut: new Map([['links to folders', 2]]),
    }),
    MODEL,
  );
  expect(text).toContain('2000 pairs of photos that are nearly the same: a\\u001b[2J\\u000a.jpg and b.jpg, ');
  expect(text).toContain(' and 1995 more\n');
  expect(text).toContain('1 copy of the same file, each used once: a\\u001b[2J\\u000a.jpg\n');
  expect(text).toContain('8 photos could not be used\n  a\\u001b[2J\\u000a.jpg: corrupt: cut\\u000aoff\n');
  expect(text).toContain('  and 3 more\n');
  expect(text).toContain('left out 2: links to folders\n');
  expect(text).not.toContain('\u001b');
});

test('a misclassified photo is shown with the predicted label, and whether it was trained on', () => {
  const unsure = [
    { photo: photo('1.jpg'), heldOut: false, score: 0.2, best: 'b', bestScore: 0.7 },
    { photo: photo('2.jpg'), heldOut: true, score: 0.6, best: 'a', bestScore: 0.6 },
  ];
  expect(teachingText(teaching(['a', 'b'], { unsure }), MODEL)).toContain(
    'least sure of\n  0.200 a, rather b (0.700)  1.jpg  (learned from)\n  0.600 a  2.jpg\n',
  );
});

test('warns about few photos, photos that are all alike, and one photo under two labels', () => {
  const none = { groups: [], pairs: [], pairCount: 0, acrossLabels: [], divided: [] };
  const facts = (training: number) => [{ label: 'a', training, heldOut: 2, right: 2 }];
  expect(warningsOf(facts(8), none)).toEqual([]);
  const acrossLabels = [{ one: photo('1.jpg'), other: photo('2.jpg', 'b'), likeness: 0.99 }];
  expect(warningsOf(facts(7), { ...none, divided: ['a'], acrossLabels })).toEqual([
    { code: 'few_photos', message: expect.stringMatching(/^a \(9\): fewer than 10 different photos/) },
    { code: 'photos_alike', message: expect.stringMatching(/^a: most photos are nearly the same/) },
    { code: 'alike_under_two_labels', message: expect.stringMatching(/^1\.jpg and 2\.jpg: /) },
  ]);
});

test('the files in the model folder name no photo', () => {
  const unsure = [{ photo: photo('private.jpg'), heldOut: true, score: 0.2, best: 'b', bestScore: 0.7 }];
  const kept = JSON.stringify(teachingSummary(teaching(['a', 'b'], { unsure })));
  expect(kept).not.toContain('private');
  expect(JSON.parse(kept)).toMatchObject({
    seed: 1,
    viewsPerPhoto: 9,
    heldOut: { photos: 8, right: 8, inFloats: null },
  });
});
