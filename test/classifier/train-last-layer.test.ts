import { expect, test } from '@jest/globals';
import { eachSimilarPair } from '../../shared/classifier/model/tensorflow/similar-rows.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { MAX_EPOCHS, trainLastLayer } from '../../shared/classifier/model/tensorflow/train-last-layer.ts';

const LENGTH = 20;

/** Rows of which a class shows in the numbers of its own, and the others are noise that repeats. */
function examples(counts: readonly number[], signal: number, from = 0) {
  const classes = Int32Array.from(counts.flatMap((count, index) => Array<number>(count).fill(index)));
  const features = new Float32Array(classes.length * LENGTH);
  classes.forEach((one, row) => {
    for (let column = 0; column < LENGTH; column++) {
      const noise = Math.abs(Math.sin((from + row) * 12.9898 + column * 78.233)) * 2;
      features[row * LENGTH + column] = noise + (column % counts.length === one ? signal : 0);
    }
  });
  return { features, classes };
}

function options(counts: readonly number[], signal: number) {
  return {
    training: examples(counts, signal),
    heldOut: examples([5, 5, 5], signal, 1_000),
    length: LENGTH,
    classWeights: Float32Array.of(1, 1, 1),
    shuffled: (rows: number) => Int32Array.from({ length: rows }, (_, row) => (row * 7) % rows),
  };
}

function right({ features, classes }: ReturnType<typeof examples>, trained: ReturnType<typeof trainLastLayer>): number {
  const { kernel, bias } = trained;
  return Array.from(classes).filter((one, row) => {
    const scores = Array.from(bias, (value, column) =>
      features
        .subarray(row * LENGTH, (row + 1) * LENGTH)
        .reduce((sum, feature, at) => sum + feature * (kernel[at * 3 + column] as number), value),
    );
    return scores.indexOf(Math.max(...scores)) === one;
  }).length;
}

test('learns to tell classes apart, and leaves no tensor behind', () => {
  const before = tensorflowUse();
  const training = options([40, 40, 40], 2);
  const trained = trainLastLayer(training);
  expect(right(training.heldOut, trained)).toBe(15);
  expect(trained.kernel).toHaveLength(LENGTH * 3);
  expect(tensorflowUse()).toEqual(before);
});

test('the same examples in the same order give the same weights', () => {
  expect(trainLastLayer(options([30, 20, 10], 1))).toEqual(trainLastLayer(options([30, 20, 10], 1)));
});

test('stops when the held-out loss stops improving, and keeps the best weights', () => {
  // What is learned is noise: the loss on other rows rises at once.
  const training = options([20, 20, 20], 0);
  let told = 0;
  const { epochs } = trainLastLayer({ ...training, onEpoch: () => told++ });
  expect(epochs.run).toBeLessThan(MAX_EPOCHS);
  expect(epochs.best).toBeLessThan(epochs.run);
  expect(told).toBe(epochs.run);
});

test('a class counts by its weight', () => {
  const training = options([100, 100, 4], 0.3);
  const even = trainLastLayer(training);
  const weighted = trainLastLayer({ ...training, classWeights: Float32Array.of(0.68, 0.68, 17) });
  expect(weighted.bias[2]).toBeGreaterThan(even.bias[2] as number);
});

function pairsOf(rows: number[][], least: number, others?: number[][]) {
  const found: [number, number, number][] = [];
  const compared = {
    rows: Float32Array.from(rows.flat()),
    length: 2,
    ...(others && { others: Float32Array.from(others.flat()) }),
  };
  eachSimilarPair(compared, least, (one, other, cosine) => found.push([one, other, Math.round(cosine * 100) / 100]));
  return found;
}

test('finds rows of nearly the same direction, whatever their lengths, and nothing for a row of zeros', () => {
  const before = tensorflowUse();
  const rows = [
    [1, 0],
    [0, 5],
    [9, 1],
    [0, 0],
    [0, 0.1],
  ];
  expect(pairsOf(rows, 0.9)).toEqual([
    [0, 2, 0.99],
    [1, 4, 1],
  ]);
  expect(tensorflowUse()).toEqual(before);
});

test('compares rows with others in order', () => {
  expect(
    pairsOf(
      [
        [1, 0],
        [0, 1],
      ],
      0.9,
      [
        [0, 1],
        [1, 0],
      ],
    ),
  ).toEqual([[0, 1, 1]]);
});

test('finds pairs across blocks, each once', () => {
  // 600 rows: three blocks. Every hundredth row has the same direction, of its own.
  const rows = Array.from({ length: 600 }, (_, row) => (row % 100 === 7 ? [1, 0] : [0.1, Math.sin(row) + 2]));
  const found = pairsOf(rows, 0.9999).filter(([one]) => one % 100 === 7);
  expect(found.map(([one, other]) => [one, other])).toEqual(
    [7, 107, 207, 307, 407, 507].flatMap((one) =>
      [107, 207, 307, 407, 507].filter((other) => other > one).map((other) => [one, other]),
    ),
  );
});
