import { join } from 'node:path';
import { visibleLine } from '../../contract/visible-text.ts';
import { type RefusedOperation, refusedInGraph } from './graph-operations.ts';
import { isInnerPath } from './inner-path.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { SAVED_MODEL_FILE } from './model-format.ts';
import { ProtobufError } from './protobuf-fields.ts';
import { MAX_MODEL_BYTES, readModelFile, TRUST_HINT } from './read-model-file.ts';
import { type ModelGraph, savedModelGraphs } from './saved-model-graph.ts';

/**
 * Checks that a SavedModel only computes, before TensorFlow loads it.
 *
 * @throws {ModelFolderError} naming each operation that reads or writes files, calls other programs, or is unknown
 */
export async function checkSavedModel(folder: string): Promise<void> {
  const path = join(folder, SAVED_MODEL_FILE);
  const graphs = graphsOf(await readModelFile(folder, SAVED_MODEL_FILE, MAX_MODEL_BYTES), path);
  for (const graph of graphs) {
    refuse(refusedInGraph(graph), path);
    checkAssets(graph, path);
    checkConstants(graph, path);
  }
}

function graphsOf(bytes: Buffer, path: string): ModelGraph[] {
  try {
    return savedModelGraphs(bytes);
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new ModelFolderError(`${path}: expected a SavedModel, it is damaged: ${cause.message}`, { cause });
  }
}

const NAMED = 5;

/** @throws {ModelFolderError} when there are any */
export function refuse(refused: readonly RefusedOperation[], path: string): void {
  if (refused.length === 0) return;
  const byOperation = Map.groupBy(refused, ({ operation }) => operation);
  const named = [...byOperation]
    .slice(0, NAMED)
    .map(([operation, [first]]) => visibleLine(`${operation}${placeOf(first)}`));
  const others = byOperation.size - named.length;
  throw new ModelFolderError(
    `${path}: expected operations that compute, got ${named.join(', ')}${others > 0 ? ` and ${others} others` : ''}: ` +
      `they may read or write files, use the network or start programs, or are not known. ${TRUST_HINT}`,
  );
}

function placeOf(first: RefusedOperation | undefined): string {
  if (first === undefined) return '';
  return ` (${first.node}${first.function === undefined ? '' : ` in the function ${first.function}`})`;
}

function checkAssets({ assets }: ModelGraph, path: string): void {
  const outside = assets.find((name) => !isInnerPath(name));
  if (outside === undefined) return;
  throw new ModelFolderError(
    `${path}: expected assets within the folder, got ${JSON.stringify(outside)}. ${TRUST_HINT}`,
  );
}

function checkConstants({ nodes, functions }: ModelGraph, path: string): void {
  const all = [...nodes, ...functions.flatMap((one) => one.nodes)];
  const bytes = all.reduce((sum, { constantBytes }) => sum + constantBytes, 0);
  if (bytes <= MAX_MODEL_BYTES) return;
  throw new ModelFolderError(
    `${path}: expected constants of at most ${MAX_MODEL_BYTES} bytes, it declares ${bytes}. ${TRUST_HINT}`,
  );
}
