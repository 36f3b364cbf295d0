import type { BatchShape, PixelValues } from './tfjs-node.ts';

/** An input or an output of a model. */
export type TensorFacts = {
  name: string;
  /** Named as in TensorFlow.js or NumPy; undefined if the format does not tell. */
  dtype: string | undefined;
  /** Undefined for a free dimension, and for a shape that the format does not tell. */
  shape: readonly (number | undefined)[] | undefined;
  /** Its name in the graph, e.g. `probabilities:0`; only for a SavedModel. */
  tensor?: string;
};

/** A model in memory, of any format. */
export type LoadedModel = {
  inputs: readonly TensorFacts[];
  outputs: readonly TensorFacts[];
  /**
   * The scores of a batch at an output, row by row. Blocks the thread.
   *
   * @param values in the type of the model's one input
   * @param output its index among `outputs`
   * @throws when TensorFlow rejects the batch, or a score is not a number
   */
  predict(values: PixelValues, shape: BatchShape, output: number): Float32Array;
  /**
   * The values of any float32 tensors of the graph, computed in one pass, in the order of their names. Only for a SavedModel.
   *
   * @param tensors different names, e.g. `Mean:0`
   * @throws when TensorFlow has no such tensor, rejects the batch, or a value is not a finite number
   */
  compute?(values: PixelValues, shape: BatchShape, tensors: readonly string[]): Float32Array[];
  dispose(): void;
};

/** A dimension as TensorFlow returns it: -1 or null is free. */
export function dimension(size: number | null): number | undefined {
  return size === null || size < 0 ? undefined : size;
}

/** TensorFlow's names for the first output of a node: `scores` and `scores:0` are the same. */
export function withoutPort(name: string): string {
  return name.replace(/:0$/, '');
}
