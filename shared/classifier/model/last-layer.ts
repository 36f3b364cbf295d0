import { join } from 'node:path';
import { MAX_EMBEDDING_VALUES } from '../../contract/limits.ts';
import type { ClassifierConfig } from './classifier-config.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { SAVED_MODEL_FILE } from './model-format.ts';
import { namesBefore } from './names-before.ts';
import { ProtobufError } from './protobuf-fields.ts';
import { MAX_MODEL_BYTES, readModelFile } from './read-model-file.ts';
import {
  DEFAULT_SIGNATURE,
  type GraphNode,
  type ModelGraph,
  savedModelGraphs,
  scoresTensor,
} from './saved-model-graph.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/** The last layer of a frozen network, `scores = activation(features x kernel + bias)`, by the nodes of its graph. */
export type LastLayer = {
  /** The input tensor of the layer, e.g. `Mean:0`: the features of an image. */
  features: string;
  /** The number of features per image: at most `MAX_EMBEDDING_VALUES`. */
  length: number;
  /** A constant, float32 [length, classes]. */
  kernel: string;
  /** A constant, float32 [classes]. */
  bias: string;
  classes: number;
  /** The operations after the layer, e.g. `Softmax`, in order. */
  after: readonly string[];
};

/** The weights of a last layer. */
export type LastLayerWeights = {
  /** [length of the features, classes], row by row. */
  kernel: Float32Array;
  /** One number per class. */
  bias: Float32Array;
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
  const found = readable(path, () => layerIn(savedModelGraphs(bytes), scores));
  if (typeof found !== 'string') return found;
  throw new ModelFolderError(
    `${path}: expected a frozen graph that ends in one dense layer (MatMul and BiasAdd with constants, then Softmax or nothing), ` +
      `${found}`,
  );
}

/**
 * The tensor that holds the scores of a SavedModel, e.g. `probabilities:0`.
 *
 * @param bytes of its `saved_model.pb`
 * @param folder for messages
 * @throws {ModelFolderError} when it is damaged or has no such output
 */
export function configuredScores(
  bytes: Buffer,
  { signature, output }: Pick<ClassifierConfig, 'signature' | 'output'>,
  folder: string,
): string {
  const path = join(folder, SAVED_MODEL_FILE);
  const found = readable(path, () => scoresTensor(bytes, { signature, output }));
  if (found !== undefined) return found;
  const wanted = `${signature ?? DEFAULT_SIGNATURE}${output === undefined ? '' : `, ${output}`}`;
  throw new ModelFolderError(`${path}: expected an output of the signature ${wanted}`);
}

/** @throws {ModelFolderError} in place of a `ProtobufError` */
function readable<Found>(path: string, read: () => Found): Found {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new ModelFolderError(`${path}: expected a SavedModel, it is damaged: ${cause.message}`, { cause });
  }
}

type Nodes = ReadonlyMap<string, GraphNode>;

/** @returns what was found instead, when it is not such a layer */
function layerIn(graphs: readonly ModelGraph[], scores: string): LastLayer | string {
  const nodes = new Map(graphs.flatMap((graph) => graph.nodes).map((node) => [node.name, node]));
  const layer = layerBefore(nodes, scores);
  if (typeof layer === 'string') return layer;
  const functions = new Set(graphs.flatMap((graph) => graph.functions).map(({ name }) => name));
  const names = namesBefore(layer.features, (name) => nodes.get(name)?.inputs);
  const unfrozen = names.map((name) => nodes.get(name) as GraphNode).find((node) => isUnfrozen(node, functions));
  return unfrozen === undefined ? layer : `got the operation ${unfrozen.operation} before that layer`;
}

/** The results of these depend on more than the graph: on files, or on earlier operations. */
const VARIABLES = new Set(['VarHandleOp', 'ReadVariableOp', 'Variable', 'VariableV2', 'RestoreV2', 'Restore']);

function isUnfrozen({ operation, functions }: GraphNode, names: ReadonlySet<string>): boolean {
  return VARIABLES.has(operation) || functions.length > 0 || names.has(operation);
}

/** Operations that may follow the layer without affecting it. */
const AFTER = new Set(['Identity', 'Softmax', 'Sigmoid']);
const FLOAT_BYTES = 4;

function layerBefore(nodes: Nodes, scores: string): LastLayer | string {
  const after: string[] = [];
  let node = nodes.get(withoutPort(scores));
  // A graph may have cycles; no frozen graph has so many operations after its last layer.
  while (node !== undefined && AFTER.has(node.operation) && after.length < AFTER.size) {
    after.unshift(node.operation);
    node = nodes.get(withoutPort(node.inputs[0] ?? ''));
  }
  if (node?.operation !== 'BiasAdd') return `got ${node?.operation ?? 'nothing'} before the scores`;
  const [sum = '', biasName = ''] = node.inputs.map(withoutPort);
  const product = nodes.get(sum);
  if (product?.operation !== 'MatMul') return `got ${product?.operation ?? 'nothing'} before the bias`;
  const transposed = product.flags.find((flag) => flag.startsWith('transpose_'));
  if (transposed !== undefined) return `got a MatMul with ${transposed}`;
  const [features = '', kernelName = ''] = product.inputs;
  const kernel = nodes.get(withoutPort(kernelName));
  const bias = nodes.get(biasName);
  if (kernel?.operation !== 'Const' || bias?.operation !== 'Const') return 'its weights are not constants';
  const classes = bias.constantBytes / FLOAT_BYTES;
  const length = kernel.constantBytes / bias.constantBytes;
  if (!Number.isInteger(classes) || !Number.isInteger(length) || length === 0) return 'its weights are not float32';
  if (length > MAX_EMBEDDING_VALUES) {
    return `with at most ${MAX_EMBEDDING_VALUES} numbers per image before it, got ${length}`;
  }
  return { features, length, kernel: kernel.name, bias: bias.name, classes, after };
}
