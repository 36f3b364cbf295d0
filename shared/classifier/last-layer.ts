import { join } from 'node:path';
import { ModelFolderError } from './model-folder-error.ts';
import { SAVED_MODEL_FILE } from './model-format.ts';
import { ProtobufError } from './protobuf-fields.ts';
import { MAX_MODEL_BYTES, readModelFile } from './read-model-file.ts';
import { type GraphNode, savedModelGraphs } from './saved-model-graph.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/** The last layer of a network that was frozen, `scores = activation(features x kernel + bias)`, by the nodes of its graph. */
export type LastLayer = {
  /** The tensor that the layer is given, e.g. `Mean:0`: the features of an image. */
  features: string;
  /** How many numbers the features of an image are. */
  length: number;
  /** A constant, float32 [length, classes]. */
  kernel: string;
  /** A constant, float32 [classes]. */
  bias: string;
  classes: number;
  /** What follows the layer, e.g. `Softmax`, in the order of the computation. */
  after: readonly string[];
};

/**
 * Finds the last layer of a SavedModel in its graph.
 *
 * @param folder the one with `saved_model.pb`
 * @param scores the tensor that holds the scores, e.g. `probabilities:0`
 * @throws {ModelFolderError} when the model does not end in such a layer
 */
export async function readLastLayer(folder: string, scores: string): Promise<LastLayer> {
  return lastLayerOf(await readModelFile(folder, SAVED_MODEL_FILE, MAX_MODEL_BYTES), scores, folder);
}

/**
 * The same for the bytes of a `saved_model.pb`.
 *
 * @param folder for messages
 */
export function lastLayerOf(bytes: Buffer, scores: string, folder: string): LastLayer {
  const path = join(folder, SAVED_MODEL_FILE);
  const found = layerBefore(nodesOf(bytes, path), scores);
  if (typeof found !== 'string') return found;
  throw new ModelFolderError(
    `${path}: expected a frozen graph that ends in one dense layer (MatMul and BiasAdd with constants, then Softmax or nothing), ` +
      `${found}`,
  );
}

type Nodes = ReadonlyMap<string, GraphNode>;

function nodesOf(bytes: Buffer, path: string): Nodes {
  try {
    const nodes = savedModelGraphs(bytes).flatMap((graph) => graph.nodes);
    return new Map(nodes.map((node) => [node.name, node]));
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new ModelFolderError(`${path}: expected a SavedModel, it is damaged: ${cause.message}`, { cause });
  }
}

/** What may stand behind the layer, and changes nothing that it needs. */
const AFTER = new Set(['Identity', 'Softmax', 'Sigmoid']);
const FLOAT_BYTES = 4;

/** @returns what is there instead, when it is not such a layer */
function layerBefore(nodes: Nodes, scores: string): LastLayer | string {
  const after: string[] = [];
  let node = nodes.get(withoutPort(scores));
  // A graph may lead round in circles; none that was frozen has so much behind its last layer.
  while (node !== undefined && AFTER.has(node.operation) && after.length < AFTER.size) {
    after.unshift(node.operation);
    node = nodes.get(withoutPort(node.inputs[0] ?? ''));
  }
  if (node?.operation !== 'BiasAdd') return `got ${node?.operation ?? 'nothing'} before the scores`;
  const [sum = '', biasName = ''] = node.inputs.map(withoutPort);
  const product = nodes.get(sum);
  if (product?.operation !== 'MatMul') return `got ${product?.operation ?? 'nothing'} before the bias`;
  const [features = '', kernelName = ''] = product.inputs;
  const kernel = nodes.get(withoutPort(kernelName));
  const bias = nodes.get(biasName);
  if (kernel?.operation !== 'Const' || bias?.operation !== 'Const') return 'its weights are not constants';
  const classes = bias.constantBytes / FLOAT_BYTES;
  const length = kernel.constantBytes / bias.constantBytes;
  if (!Number.isInteger(classes) || !Number.isInteger(length) || length === 0) return 'its weights are not float32';
  return { features, length, kernel: kernel.name, bias: bias.name, classes, after };
}
