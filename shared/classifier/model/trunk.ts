import { createHash } from 'node:crypto';
import { type FrozenGraph, readFrozenGraph } from './frozen-graph.ts';
import type { ModelFolder } from './model-folder.ts';
import { namesBefore } from './names-before.ts';
import { textsOf } from './protobuf-fields.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/** Digits of `TRUNK`: two different trunks collide with a probability of 2^-64. */
const DIGITS = 16;

/**
 * The trunk of a model: everything that determines the features of an image. Models that differ only in their last layer have the
 * same trunk. The int8 model of a folder has the trunk of the one in floats: their features differ by less than those of one photo
 * in two JPEG qualities.
 *
 * @returns a name as `TRUNK` describes
 * @throws {ModelFolderError} when the model does not end in one dense layer
 */
export async function readTrunk(folder: ModelFolder): Promise<string> {
  return trunkOf(await readFrozenGraph(folder), folder);
}

/** The same for a graph. */
export function trunkOf({ nodes, layer }: FrozenGraph, { config }: ModelFolder): string {
  const hash = createHash('sha256');
  const { inputSize, crop, interpolation, mean = null, std = null } = config;
  hash.update(JSON.stringify({ inputSize, crop, interpolation, mean, std, features: withoutPort(layer.features) }));
  const names = namesBefore(layer.features, (name) => inputsIn(nodes.get(name)));
  for (const name of names.sort()) hash.update(nodes.get(name) ?? '');
  return hash.digest('hex').slice(0, DIGITS);
}

/** The inputs of a node in a graph. */
function inputsIn(node: Buffer | undefined): string[] | undefined {
  return node === undefined ? undefined : textsOf(node, 3);
}
