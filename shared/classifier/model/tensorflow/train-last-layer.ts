import type { LastLayerWeights } from '../last-layer.ts';
import { tf } from './tfjs-node.ts';

/** Examples: the features of images, row by row, and a class per row. */
export type Examples = { features: Float32Array; classes: Int32Array };

/** What a training needs. */
export type Training = {
  training: Examples;
  /** The validation set: decides when to stop, and is not trained on. */
  heldOut: Examples;
  /** Features per row. */
  length: number;
  /** The weight of an example of each class, one element per class. */
  classWeights: Float32Array;
  /** Returns the order of rows of an epoch; called once per epoch. */
  shuffled(rows: number): Int32Array;
  /** Called after each epoch. */
  onEpoch?(epoch: number): void;
};

/** What a training yields. */
export type Trained = LastLayerWeights & {
  /** The best epoch, and how many were run. */ epochs: { best: number; run: number };
};

const BATCH = 128;
/** The learning rate of Adam. Features are scaled to a root mean square of 1: a step then changes a score by about 1 at most. */
const LEARNING_RATE = 0.001;
/** L2 regularization: keeps scores from growing without bound when classes are easily separable. */
const WEIGHT_DECAY = 1e-4;
/** Maximum number of epochs; most trainings stop long before. */
export const MAX_EPOCHS = 200;
/** Early stopping: epochs without a better validation loss. */
const PATIENCE = 15;
/** The loss at which the right label has 99 % on average: more epochs would make the model more confident, not better. */
const GOOD_ENOUGH = 0.01;
/** The minimum improvement, as a share of the best loss. */
const LEAST_GAIN = 0.01;

/**
 * Trains a softmax layer (multinomial logistic regression) and keeps the weights with the best validation loss. The same
 * examples in the same order give the same weights on the same processor. Blocks the thread.
 */
export function trainLastLayer(options: Training): Trained {
  const { training, heldOut, length, classWeights } = options;
  const scale = 1 / rootMeanSquare(training.features);
  const layer = new Layer(length, classWeights, scale);
  const rows = tensorsOf(training, length);
  const others = tensorsOf(heldOut, length);
  try {
    const epochs = untilNoBetter(layer, rows, others, options);
    return { epochs, ...layer.best(scale) };
  } finally {
    layer.dispose();
    tf.dispose([rows.features, rows.classes, others.features, others.classes]);
  }
}

type ExampleTensors = { features: tf.Tensor2D; classes: tf.Tensor1D };

function tensorsOf({ features, classes }: Examples, length: number): ExampleTensors {
  return { features: tf.tensor2d(features, [classes.length, length]), classes: tf.tensor1d(classes, 'int32') };
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length) || 1;
}

function untilNoBetter(
  layer: Layer,
  rows: ExampleTensors,
  heldOut: ExampleTensors,
  { shuffled, onEpoch }: Training,
): Trained['epochs'] {
  const count = rows.classes.shape[0];
  let bestLoss = Number.POSITIVE_INFINITY;
  let best = 0;
  let run = 0;
  while (run < MAX_EPOCHS && run - best < PATIENCE && bestLoss > GOOD_ENOUGH) {
    const order = shuffled(count);
    for (let from = 0; from < count; from += BATCH) layer.learn(rows, order.subarray(from, from + BATCH));
    run++;
    onEpoch?.(run);
    const loss = layer.lossOf(heldOut);
    if (loss > bestLoss * (1 - LEAST_GAIN)) continue;
    bestLoss = loss;
    best = run;
    layer.keep();
  }
  return { best, run };
}

class Layer {
  readonly #kernel: tf.Variable<tf.Rank.R2>;
  readonly #bias: tf.Variable<tf.Rank.R1>;
  readonly #classWeights: tf.Tensor1D;
  readonly #optimizer = tf.train.adam(LEARNING_RATE);
  readonly #scale: number;
  #kept: LastLayerWeights;

  /** Starts at zero: the loss has a single minimum, so no random initialization is needed. */
  constructor(length: number, classWeights: Float32Array, scale: number) {
    const classes = classWeights.length;
    this.#kernel = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R2>([length, classes])));
    this.#bias = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([classes])));
    this.#classWeights = tf.tensor1d(classWeights);
    this.#scale = scale;
    this.#kept = { kernel: new Float32Array(length * classes), bias: new Float32Array(classes) };
  }

  learn({ features, classes }: ExampleTensors, rows: Int32Array): void {
    tf.tidy(() => {
      const chosen = tf.tensor1d(rows, 'int32');
      const batch = { features: features.gather(chosen), classes: classes.gather(chosen) };
      this.#optimizer.minimize(() => this.#loss(batch).add(this.#kernel.square().sum().mul(WEIGHT_DECAY)) as tf.Scalar);
    });
  }

  lossOf(examples: ExampleTensors): number {
    return tf.tidy(() => this.#loss(examples).dataSync()[0] as number);
  }

  #loss({ features, classes }: ExampleTensors): tf.Scalar {
    const scores = features.mul(this.#scale).matMul(this.#kernel).add(this.#bias);
    const right = tf.oneHot(classes, this.#classWeights.shape[0]);
    const losses = tf.logSoftmax(scores).mul(right).sum(1).neg();
    const weights = this.#classWeights.gather(classes);
    return losses.mul(weights).sum().div(weights.sum());
  }

  keep(): void {
    this.#kept = { kernel: this.#kernel.dataSync<'float32'>().slice(), bias: this.#bias.dataSync<'float32'>().slice() };
  }

  /** Converts weights back for unscaled features. */
  best(scale: number): LastLayerWeights {
    return { kernel: this.#kept.kernel.map((weight) => weight * scale), bias: this.#kept.bias };
  }

  dispose(): void {
    this.#optimizer.dispose();
    tf.dispose([this.#kernel, this.#bias, this.#classWeights]);
  }
}
