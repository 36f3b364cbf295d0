import { type FrozenGraph, readFrozenGraph } from './frozen-graph.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { bytesOf, textsOf } from './protobuf-fields.ts';
import { trunkOf } from './trunk.ts';

/** The last layer of a model with its weights, which turns features into scores. */
export type ModelHead = {
  /** The trunk whose features it takes, see `readTrunk`. */
  trunk: string;
  /** The number of features per image. */
  length: number;
  /** `length` rows, one column per label. */
  kernel: Float32Array;
  bias: Float32Array;
  /** The activations of the sums, in order; without `none`. */
  activations: readonly Activation[];
};

type Activation = 'softmax' | 'sigmoid';

/**
 * Reads the last layer of a model folder, without TensorFlow and without the rest of the model.
 *
 * @throws {ModelFolderError} when the model does not end in one dense layer with a label for each score
 */
export async function readModelHead(folder: ModelFolder): Promise<ModelHead> {
  const graph = await readFrozenGraph(folder);
  const { kernel, bias, length, classes, after } = graph.layer;
  if (classes !== folder.labels.length) {
    throw new ModelFolderError(
      `${folder.path}: expected a label for each score, got ${folder.labels.length} labels in ${folder.labelsFrom} and ` +
        `${classes} scores`,
    );
  }
  return {
    trunk: trunkOf(graph, folder),
    length,
    kernel: constant(graph, kernel, length * classes, folder.path),
    bias: constant(graph, bias, classes, folder.path),
    activations: [...after.flatMap((operation) => ACTIVATIONS.get(operation) ?? []), ...configured(folder)],
  };
}

const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ['Softmax', 'softmax'],
  ['Sigmoid', 'sigmoid'],
]);

function configured({ config: { activation } }: ModelFolder): Activation[] {
  return activation === 'none' ? [] : [activation];
}

const FLOAT_BYTES = 4;

/** The numbers of a constant of float32, by the fields of TensorFlow's attr_value.proto and tensor.proto. */
function constant({ nodes }: FrozenGraph, name: string, length: number, path: string): Float32Array {
  const attributes = bytesOf(nodes.get(name) ?? Buffer.alloc(0), 5);
  const value = attributes.find((entry) => textsOf(entry, 1).at(-1) === 'value') ?? Buffer.alloc(0);
  const tensors = bytesOf(value, 2).flatMap((attribute) => bytesOf(attribute, 8));
  // Either all values as in memory, or a list, whose last value is repeated when it is too short.
  const numbers = tensors.flatMap((tensor) => [...bytesOf(tensor, 4), ...bytesOf(tensor, 5)])[0] ?? Buffer.alloc(0);
  const found = Math.min(length, Math.floor(numbers.length / FLOAT_BYTES));
  if (found === 0) throw new ModelFolderError(`${path}: expected ${length} numbers in the constant ${name}, got none`);
  const floats = Float32Array.from({ length }, (_, at) => numbers.readFloatLE(Math.min(at, found - 1) * FLOAT_BYTES));
  if (floats.every(Number.isFinite)) return floats;
  throw new ModelFolderError(`${path}: expected finite numbers in the constant ${name}`);
}
