import { createHash } from 'node:crypto';
import { type FrozenGraph, inputsOf, readFrozenGraph } from './frozen-graph.ts';
import type { ModelFolder } from './model-folder.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/** As many as `TRUNK` has: two trunks that differ have the same with a probability of 2^-64. */
const DIGITS = 16;

/**
 * Which trunk a model has: all that decides which features an image gets. Models that differ in their last layer alone have
 * the same. The model in eight-bit integers of a folder counts as the one in floats beside it: their features differ by less
 * than those of one photo in two qualities.
 *
 * @returns what `TRUNK` describes
 * @throws {ModelFolderError} when the model does not end in one dense layer
 */
export async function readTrunk(folder: ModelFolder): Promise<string> {
  return trunkOf(await readFrozenGraph(folder), folder);
}

/** The same of a graph that was read. */
export function trunkOf({ nodes, layer }: FrozenGraph, { config }: ModelFolder): string {
  const hash = createHash('sha256');
  const { inputSize, crop, interpolation, mean = null, std = null } = config;
  hash.update(JSON.stringify({ inputSize, crop, interpolation, mean, std, features: withoutPort(layer.features) }));
  for (const name of namesBefore(nodes, layer.features).sort()) hash.update(nodes.get(name) ?? '');
  return hash.digest('hex').slice(0, DIGITS);
}

/** The operations that a tensor is computed of, its own included. */
function namesBefore(nodes: FrozenGraph['nodes'], tensor: string): string[] {
  const found = new Set<string>();
  const next = [withoutPort(tensor)];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const node = nodes.get(name);
    if (node === undefined || found.has(name)) continue;
    found.add(name);
    next.push(...inputsOf(node));
  }
  return [...found];
}
