import { configuredScores, type LastLayer, lastLayerOf } from './last-layer.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { SAVED_MODEL_FILE } from './model-format.ts';
import { bytesOf, textsOf } from './protobuf-fields.ts';
import { MAX_MODEL_BYTES, readModelFile } from './read-model-file.ts';

/** The graph of a SavedModel whose weights are constants, with its last layer. */
export type FrozenGraph = {
  /** The bytes of each operation by name. */
  nodes: ReadonlyMap<string, Buffer>;
  layer: LastLayer;
};

/**
 * Reads the graph of a model folder without TensorFlow.
 *
 * @throws {ModelFolderError} when the model is not a frozen SavedModel that ends in one dense layer
 */
export async function readFrozenGraph({ path, format, config }: ModelFolder): Promise<FrozenGraph> {
  if (format !== 'saved-model') {
    throw new ModelFolderError(`${path}: expected a SavedModel to take features from, got a ${format}`);
  }
  const bytes = await readModelFile(path, SAVED_MODEL_FILE, MAX_MODEL_BYTES);
  const layer = lastLayerOf(bytes, configuredScores(bytes, config, path), path);
  const graphs = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 2));
  const nodes = graphs.flatMap((graph) => bytesOf(graph, 1));
  return { nodes: new Map(nodes.map((node) => [textsOf(node, 1).at(-1) ?? '', node])), layer };
}
