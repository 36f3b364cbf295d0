import type { ModelTensorInfo } from '@tensorflow/tfjs-core';
import type { TFSavedModel } from '@tensorflow/tfjs-node/dist/saved_model.js';
import { ModelFolderError } from '../model-folder-error.ts';
import { SAVED_MODEL_FILE } from '../model-format.ts';
import { MAX_MODEL_BYTES, readModelFile } from '../read-model-file.ts';
import { DEFAULT_SIGNATURE, signatureTensors } from '../saved-model-graph.ts';
import { dimension, type LoadedModel, type TensorFacts, withoutPort } from './loaded-model.ts';
import { runOnBytes } from './run-on-bytes.ts';
import { type BatchShape, type PixelValues, scoresOf, tensorOf, tf } from './tfjs-node.ts';

const TAGS = ['serve'];

/** @throws {ModelFolderError} when it is not a SavedModel, or has no such signature */
export async function loadSavedModel(path: string, signature: string = DEFAULT_SIGNATURE): Promise<LoadedModel> {
  const model = await load(path, signature);
  const outputNodes = Object.entries(model.outputNodeNames);
  return {
    inputs: model.inputs.map((info) => factsOf(info, withoutPort(info.name))),
    outputs: model.outputs.map((info, index) => {
      const [name, tensor] = outputNodes[index] as [string, string];
      return { ...factsOf(info, name), tensor };
    }),
    predict(values, shape, output) {
      const [, tensor] = outputNodes[output] as [string, string];
      const [scores] = computed(model, values, shape, [tensor]);
      return scores as Float32Array;
    },
    compute: (values, shape, tensors) => computed(model, values, shape, tensors),
    dispose: () => model.dispose(),
  };
}

/** Computes only the requested tensors of the graph. */
function computed(
  model: TFSavedModel,
  values: PixelValues,
  shape: BatchShape,
  tensors: readonly string[],
): Float32Array[] {
  const found =
    values instanceof Uint8Array
      ? runOnBytes(model, values, shape, tensors)
      : predicted(model, tensorOf(values, shape), tensors);
  try {
    return found.map(scoresOf);
  } finally {
    tf.dispose(found);
  }
}

/**
 * By itself, tfjs-node would compute and fetch all outputs, and print a line per batch for one of int64. It reads them from a
 * field that it fills if it is empty; the field may name any tensor of the graph.
 */
function predicted(model: TFSavedModel, images: tf.Tensor4D, tensors: readonly string[]): tf.Tensor[] {
  try {
    Object.assign(model, { outputNodeNames_: Object.fromEntries(tensors.map((tensor) => [tensor, tensor])) });
    return [model.predict(images) as tf.Tensor | tf.Tensor[]].flat();
  } finally {
    images.dispose();
  }
}

async function load(path: string, signature: string): Promise<TFSavedModel> {
  try {
    return await tf.node.loadSavedModel(path, [...TAGS], signature);
  } catch (cause) {
    const reason = (await unsupportedTypeText(path)) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new ModelFolderError(
      `${path}: expected a SavedModel with the signature ${signature}: ${reason}${await signaturesText(path)}`,
      { cause },
    );
  }
}

/** Numbers and names of the types that tfjs-node does not know; it loads no model that contains one. */
const UNSUPPORTED_TYPES: ReadonlyMap<number, string> = new Map([
  [2, 'float64 (DT_DOUBLE)'],
  [5, 'int16 (DT_INT16)'],
  [6, 'int8 (DT_INT8)'],
  [14, 'bfloat16 (DT_BFLOAT16)'],
  [17, 'uint16 (DT_UINT16)'],
  [19, 'float16 (DT_HALF)'],
  [22, 'uint32 (DT_UINT32)'],
  [23, 'uint64 (DT_UINT64)'],
]);

/** The first unsupported input or output, if the file can be parsed. */
async function unsupportedTypeText(path: string): Promise<string | undefined> {
  try {
    for (const { signature, name, type } of signatureTensors(
      await readModelFile(path, SAVED_MODEL_FILE, MAX_MODEL_BYTES),
    )) {
      const unsupported = UNSUPPORTED_TYPES.get(type);
      if (unsupported !== undefined) {
        return `${name} of the signature ${signature} is ${unsupported}: export the model with a cast to float32`;
      }
    }
  } catch {
    // TensorFlow's own reason is more useful then.
  }
  return undefined;
}

/** The names of the signatures, if the file can be parsed. */
async function signaturesText(path: string): Promise<string> {
  try {
    const graphs = await tf.node.getMetaGraphsFromSavedModel(path);
    return `; it has ${graphs.flatMap(({ signatureDefs }) => Object.keys(signatureDefs)).join(', ')}`;
  } catch {
    return '';
  }
}

/** NumPy's names for the types that tfjs-node distinguishes, and TensorFlow's for the others. */
const DTYPES: ReadonlyMap<string, string> = new Map([
  ['DT_FLOAT', 'float32'],
  ['DT_INT32', 'int32'],
  ['DT_INT64', 'int64'],
  ['DT_UINT8', 'uint8'],
]);

/** tfjs-node declares the dimensions as numbers, but returns the messages of the protocol buffer. */
type Dimension = number | { getSize(): number };

function factsOf({ tfDtype, shape = [] }: ModelTensorInfo, name: string): TensorFacts {
  const sizes = (shape as Dimension[]).map((size) => (typeof size === 'number' ? size : size.getSize()));
  return {
    name,
    dtype: tfDtype === undefined ? undefined : (DTYPES.get(tfDtype) ?? tfDtype),
    // No dimensions means that the signature does not know the shape.
    shape: sizes.length === 0 ? undefined : sizes.map(dimension),
  };
}
