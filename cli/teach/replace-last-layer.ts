import type { LastLayer, LastLayerWeights } from '../../shared/classifier/model/last-layer.ts';
import { bytesOf, textsOf, withBytes } from '../../shared/classifier/model/protobuf-fields.ts';
import { bytesField, varintField } from '../../shared/classifier/model/protobuf-writer.ts';

/**
 * A SavedModel with new weights in its last layer; everything else stays, byte by byte. The numbers of fields are those
 * that `saved-model-graph.ts` names.
 *
 * @param bytes of the `saved_model.pb` that the layer was found in
 * @param scores the tensor that holds the scores, e.g. `probabilities:0`: the signature gets its new shape
 */
export function replaceLastLayer(
  bytes: Buffer,
  layer: LastLayer,
  scores: string,
  { kernel, bias }: LastLayerWeights,
): Buffer {
  const classes = bias.length;
  if (kernel.length !== layer.length * classes) {
    throw new Error(`expected ${layer.length} x ${classes} weights, got ${kernel.length}`);
  }
  const tensors = new Map([
    [layer.kernel, tensorBytes(kernel, [layer.length, classes])],
    [layer.bias, tensorBytes(bias, [classes])],
  ]);
  return withBytes(bytes, 2, (metaGraph) =>
    withBytes(withNodes(metaGraph, tensors), 5, (signature) => withOutputShape(signature, scores, classes)),
  );
}

function withNodes(metaGraph: Buffer, tensors: ReadonlyMap<string, Buffer>): Buffer {
  return withBytes(metaGraph, 2, (graph) =>
    withBytes(graph, 1, (node) => {
      const tensor = tensors.get(textsOf(node, 1).at(-1) ?? '');
      return tensor === undefined ? node : withTensor(node, tensor);
    }),
  );
}

function withTensor(node: Buffer, tensor: Buffer): Buffer {
  return withBytes(node, 5, (attribute) =>
    textsOf(attribute, 1).at(-1) === 'value' ? withBytes(attribute, 2, () => bytesField(8, tensor)) : attribute,
  );
}

const FLOAT = 1;

function tensorBytes(values: Float32Array, sizes: readonly number[]): Buffer {
  const shape = Buffer.concat(sizes.map((size) => bytesField(2, varintField(1, size))));
  const content = Buffer.alloc(values.byteLength);
  // Little-endian on each machine, as TensorFlow reads it.
  values.forEach((value, index) => {
    content.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  });
  return Buffer.concat([varintField(1, FLOAT), bytesField(2, shape), bytesField(4, content)]);
}

/** Of an entry of the map of signatures: the scores are among its outputs, which are a map of tensors. */
function withOutputShape(signature: Buffer, scores: string, classes: number): Buffer {
  return withBytes(signature, 2, (definition) =>
    withBytes(definition, 2, (output) =>
      withBytes(output, 2, (tensor) =>
        textsOf(tensor, 1).at(-1) === scores
          ? withBytes(tensor, 3, (shape) => withLastDimension(shape, classes))
          : tensor,
      ),
    ),
  );
}

function withLastDimension(shape: Buffer, size: number): Buffer {
  const last = bytesOf(shape, 2).length - 1;
  let at = 0;
  return withBytes(shape, 2, (dimension) => (at++ === last ? varintField(1, size) : dimension));
}
