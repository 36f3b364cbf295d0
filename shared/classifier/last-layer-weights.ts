import type { LastLayer } from './last-layer.ts';
import { bytesOf, textsOf } from './protobuf-fields.ts';

/** The weights of a last layer. */
export type LastLayerWeights = {
  /** [length of the features, classes], row by row. */
  kernel: Float32Array;
  /** One number per class. */
  bias: Float32Array;
};

/**
 * The weights that a SavedModel has in its last layer: scores are the activation of features x kernel + bias.
 *
 * @param bytes of the `saved_model.pb` that the layer was found in
 * @throws when they are not written as TensorFlow writes large constants
 */
export function lastLayerWeights(bytes: Buffer, layer: LastLayer): LastLayerWeights {
  const nodes = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 2).flatMap((graph) => bytesOf(graph, 1)));
  const kernel = floatsOf(nodes, layer.kernel);
  const bias = floatsOf(nodes, layer.bias);
  if (kernel.length === layer.length * layer.classes && bias.length === layer.classes) return { kernel, bias };
  throw new Error(`expected ${layer.length} x ${layer.classes} weights in the model, got ${kernel.length}`);
}

function floatsOf(nodes: readonly Buffer[], name: string): Float32Array {
  const node = nodes.find((one) => textsOf(one, 1).at(-1) === name) ?? Buffer.alloc(0);
  const values = bytesOf(node, 5).filter((attribute) => textsOf(attribute, 1).at(-1) === 'value');
  const tensors = values.flatMap((attribute) => bytesOf(attribute, 2)).flatMap((value) => bytesOf(value, 8));
  const content = tensors.flatMap((tensor) => bytesOf(tensor, 4)).at(-1) ?? Buffer.alloc(0);
  // Little-endian on each machine, as TensorFlow writes it.
  return Float32Array.from({ length: content.length / Float32Array.BYTES_PER_ELEMENT }, (_, index) =>
    content.readFloatLE(index * Float32Array.BYTES_PER_ELEMENT),
  );
}
