import { createHash } from 'node:crypto';
import { type FrozenGraph, readFrozenGraph } from './frozen-graph.ts';
import type { ModelFolder } from './model-folder.ts';
import { namesBefore } from './names-before.ts';
import { textsOf } from './protobuf-fields.ts';
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
  const names = namesBefore(layer.features, (name) => inputsIn(nodes.get(name)));
  for (const name of names.sort()) hash.update(nodes.get(name) ?? '');
  return hash.digest('hex').slice(0, DIGITS);
}

/** The inputs of a node, as a graph has them. */
function inputsIn(node: Buffer | undefined): string[] | undefined {
  return node === undefined ? undefined : textsOf(node, 3);
}
