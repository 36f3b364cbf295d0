/**
 * Models in TensorFlow.js's own formats. Loaded only for a folder that holds one: what it imports takes
 * longer to load than all that a SavedModel needs.
 */
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { ModelFolderError } from '../model-folder-error.ts';
import { checkGraphModel, readTfjsModel, readWeights, type TfjsModelFile } from '../tfjs-files.ts';
import { dimension, type LoadedModel, type TensorFacts, withoutPort } from './loaded-model.ts';
import { scoresOf, tensorOf, tf } from './tfjs-node.ts';

/** @throws {ModelFolderError} with TensorFlow.js's reason, or naming what a model that is not trusted may not do */
export async function loadGraphModelFolder(path: string, trusted: boolean): Promise<LoadedModel> {
  const file = await readTfjsModel(path);
  if (!trusted) checkGraphModel(file, path);
  const model = await loading(path, 'graph', () => loadGraphModel(filesOf(path, file)));
  return {
    inputs: model.inputs.map(factsOf),
    outputs: model.outputNodes.map((name) => graphOutput(model, name)),
    predict: (values, shape, output) =>
      tf.tidy(() => scoresOf(model.execute(tensorOf(values, shape), model.outputNodes[output] as string) as tf.Tensor)),
    dispose: () => model.dispose(),
  };
}

/** @throws {ModelFolderError} with TensorFlow.js's reason */
export async function loadLayersModelFolder(path: string): Promise<LoadedModel> {
  const file = await readTfjsModel(path);
  const model = await loading(path, 'layers', () => loadLayersModel(filesOf(path, file)));
  return {
    inputs: model.inputs.map(factsOf),
    outputs: model.outputs.map(factsOf),
    predict: (values, shape, output) =>
      tf.tidy(() => {
        const outputs = [model.predict(tensorOf(values, shape), { batchSize: shape[0] })].flat();
        return scoresOf(outputs[output] as tf.Tensor);
      }),
    dispose: () => void model.dispose(),
  };
}

/**
 * In place of TensorFlow.js's own, which follows whatever paths are in the file. A file without a manifest has an empty
 * one: TensorFlow.js would leave the weights of a layers model as they are before training, and not complain.
 */
function filesOf(path: string, file: TfjsModelFile): io.IOHandler {
  const modelJson = { ...file, weightsManifest: file.weightsManifest ?? [] };
  return {
    load: () =>
      io.getModelArtifactsForJSON(modelJson as unknown as io.ModelJSON, async (manifest) => [
        manifest.flatMap(({ weights }) => weights),
        arrayBufferOf(await readWeights(path, file)),
      ]),
  };
}

/** Of its own: that of a small Buffer is shared. */
function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

async function loading<Model extends GraphModel | LayersModel>(
  path: string,
  kind: 'graph' | 'layers',
  load: () => Promise<Model>,
): Promise<Model> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof ModelFolderError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFolderError(`${path}: expected a ${kind} model that TensorFlow.js can load: ${reason}`, { cause });
  }
}

function factsOf({ name, shape, dtype }: { name: string; shape?: unknown; dtype?: string | undefined }): TensorFacts {
  const sizes = shape as (number | null)[] | undefined;
  return { name: withoutPort(name), dtype, shape: sizes?.map(dimension) };
}

type Signature = { outputs?: Record<string, { tensorShape?: { dim?: { size: string | number }[] } }> };

/** A graph says nothing of its outputs, but its signature does. */
function graphOutput({ modelSignature }: GraphModel, name: string): TensorFacts {
  const sizes = (modelSignature as Signature | undefined)?.outputs?.[name]?.tensorShape?.dim;
  return { name: withoutPort(name), dtype: undefined, shape: sizes?.map(({ size }) => dimension(Number(size))) };
}
