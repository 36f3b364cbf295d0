import type { TFSavedModel } from '@tensorflow/tfjs-node/dist/saved_model.js';
import { type BatchShape, tf } from './tfjs-node.ts';

/** What tfjs-node's `runSavedModel` itself calls; its types do not declare it. */
type Backend = {
  binding: {
    TF_UINT8: number;
    /** The tensor may use the memory of the values: they must not change before it is deleted. @returns its id */
    createTensor(shape: readonly number[], dtype: number, values: Uint8Array): number;
    deleteTensor(id: number): void;
    runSavedModel(session: number, inputs: readonly number[], inputNames: string, outputNames: string): object[];
  };
  createOutputTensor(output: object): tf.Tensor;
};

/**
 * Runs a SavedModel whose one input is uint8. tfjs-node has no tensors of that type: its `predict` creates one of another type, reads
 * it back and copies it once more. With the joined batch, those are 450 kB per image outside V8's heap, which V8 counts towards its
 * old generation: every 26 images, it then collected all of its heap (docs/decisions/uint8-input.md).
 *
 * @param outputs names of tensors of the graph, e.g. `probabilities:0`
 * @returns a tensor for each of them, for the caller to dispose of
 * @throws when TensorFlow rejects the batch, or has no such tensor
 */
export function runOnBytes(
  model: TFSavedModel,
  bytes: Uint8Array,
  shape: BatchShape,
  outputs: readonly string[],
): tf.Tensor[] {
  const backend = tf.backend() as unknown as Backend;
  const { binding } = backend;
  const { sessionId } = model as unknown as { sessionId: number };
  const input = binding.createTensor(shape, binding.TF_UINT8, bytes);
  try {
    const names = model.inputs.map(({ name }) => name);
    const found = binding.runSavedModel(sessionId, [input], names.join(), outputs.join());
    return found.map((output) => backend.createOutputTensor(output));
  } finally {
    binding.deleteTensor(input);
  }
}
