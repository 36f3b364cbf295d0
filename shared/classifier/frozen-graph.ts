import { join } from 'node:path';
import { type LastLayer, lastLayerOf } from './last-layer.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { SAVED_MODEL_FILE } from './model-format.ts';
import { bytesOf, textsOf } from './protobuf-fields.ts';
import { MAX_MODEL_BYTES, readModelFile } from './read-model-file.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/** The signature that is meant when a configuration names none. */
const DEFAULT_SIGNATURE = 'serving_default';

/** The graph of a SavedModel whose weights are constants, with its last layer. */
export type FrozenGraph = {
  /** The bytes of each operation, by its name. */
  nodes: ReadonlyMap<string, Buffer>;
  layer: LastLayer;
};

/**
 * Reads the graph of a model folder without TensorFlow.
 *
 * @throws {ModelFolderError} when the model is not a SavedModel that was frozen and ends in one dense layer
 */
export async function readFrozenGraph({ path, format, config }: ModelFolder): Promise<FrozenGraph> {
  if (format !== 'saved-model') {
    throw new ModelFolderError(`${path}: expected a SavedModel to take features from, got a ${format}`);
  }
  const bytes = await readModelFile(path, SAVED_MODEL_FILE, MAX_MODEL_BYTES);
  const scores = scoresTensor(bytes, config);
  if (scores === undefined) {
    const wanted = `${config.signature ?? DEFAULT_SIGNATURE}${config.output === undefined ? '' : `, ${config.output}`}`;
    throw new ModelFolderError(`${join(path, SAVED_MODEL_FILE)}: expected an output of the signature ${wanted}`);
  }
  const layer = lastLayerOf(bytes, scores, path);
  const graphs = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 2));
  const nodes = graphs.flatMap((graph) => bytesOf(graph, 1));
  return { nodes: new Map(nodes.map((node) => [textsOf(node, 1).at(-1) ?? '', node])), layer };
}

/** The tensor with the scores, e.g. `probabilities:0`. */
function scoresTensor(bytes: Buffer, { signature = DEFAULT_SIGNATURE, output }: ModelFolder['config']) {
  const entries = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 5));
  const found = entries.filter((entry) => textsOf(entry, 1).at(-1) === signature);
  const outputs = found.flatMap((entry) => bytesOf(entry, 2)).flatMap((one) => bytesOf(one, 2));
  const wanted = outputs.find((entry) => output === undefined || textsOf(entry, 1).at(-1) === withoutPort(output));
  return wanted === undefined ? undefined : bytesOf(wanted, 2).flatMap((tensor) => textsOf(tensor, 1))[0];
}

/** The names of the operations that a node takes something from. */
export function inputsOf(node: Buffer): string[] {
  return textsOf(node, 3).map((input) => input.replace(/^\^/, '').replace(/:\d+$/, ''));
}
