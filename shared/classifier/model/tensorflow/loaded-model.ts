import type { BatchShape, PixelValues } from './tfjs-node.ts';

/** What a model says of an input or an output. */
export type TensorFacts = {
  name: string;
  /** As TensorFlow.js or NumPy name it; undefined where the format does not say. */
  dtype: string | undefined;
  /** undefined for a dimension that is free, and for a shape of which the format says nothing. */
  shape: readonly (number | undefined)[] | undefined;
  /** Its name in the graph, e.g. `probabilities:0`; of a SavedModel alone. */
  tensor?: string;
};

/** A model in memory, of whatever format. */
export type LoadedModel = {
  inputs: readonly TensorFacts[];
  outputs: readonly TensorFacts[];
  /**
   * The scores of a batch at an output, row by row. Blocks the thread.
   *
   * @param values in the type of the model's one input
   * @param output its index among `outputs`
   * @throws when TensorFlow refuses the batch, or a score is no number
   */
  predict(values: PixelValues, shape: BatchShape, output: number): Float32Array;
  /**
   * The values of any float32 tensors of the graph, computed at once, in the order of their names. Of a SavedModel alone.
   *
   * @param tensors different names, e.g. `Mean:0`
   * @throws when TensorFlow has no such tensor, refuses the batch, or a value is not a finite number
   */
  compute?(values: PixelValues, shape: BatchShape, tensors: readonly string[]): Float32Array[];
  dispose(): void;
};

/** A dimension as TensorFlow gives it: -1 or null is free. */
export function dimension(size: number | null): number | undefined {
  return size === null || size < 0 ? undefined : size;
}

/** TensorFlow's names for the first output of a node: `scores` and `scores:0` are the same. */
export function withoutPort(name: string): string {
  return name.replace(/:0$/, '');
}
