/**
 * Models in the formats of TensorFlow.js. Imported only for such a folder: its dependencies take longer to load than everything
 * that a SavedModel needs.
 */
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { ModelFolderError } from '../model-folder-error.ts';
import { checkGraphModel, readTfjsModel, readWeights, type TfjsModelFile } from '../tfjs-files.ts';
import { dimension, type LoadedModel, type TensorFacts, withoutPort } from './loaded-model.ts';
import { scoresOf, tensorOf, tf } from './tfjs-node.ts';

/** A TensorFlow.js model in memory. */
export type TfjsModel = Pick<LoadedModel, 'inputs' | 'outputs' | 'dispose'> & {
  /** The tensor of an output, by its index. @throws when TensorFlow rejects the batch */
  execute(batch: tf.Tensor, output: number): tf.Tensor;
};

/** @throws {ModelFolderError} with TensorFlow.js's reason, or naming what an untrusted model must not do */
export async function openTfjsModel(
  path: string,
  format: 'graph-model' | 'layers-model',
  trusted: boolean,
): Promise<TfjsModel> {
  return format === 'graph-model' ? openGraphModel(path, trusted) : openLayersModel(path);
}

/** @throws {ModelFolderError} with TensorFlow.js's reason, or naming what an untrusted model must not do */
export async function loadTfjsModel(...folder: Parameters<typeof openTfjsModel>): Promise<LoadedModel> {
  const { execute, ...model } = await openTfjsModel(...folder);
  return {
    ...model,
    predict: (values, shape, output) => tf.tidy(() => scoresOf(execute(tensorOf(values, shape), output))),
  };
}

async function openGraphModel(path: string, trusted: boolean): Promise<TfjsModel> {
  const file = await readTfjsModel(path);
  if (!trusted) checkGraphModel(file, path);
  const model = await loading(path, 'graph', () => loadGraphModel(filesOf(path, file)));
  return {
    inputs: model.inputs.map(factsOf),
    outputs: model.outputNodes.map((name) => graphOutput(model, name)),
    execute: (batch, output) => model.execute(batch, model.outputNodes[output] as string) as tf.Tensor,
    dispose: () => model.dispose(),
  };
}

async function openLayersModel(path: string): Promise<TfjsModel> {
  const file = await readTfjsModel(path);
  const model = await loading(path, 'layers', () => loadLayersModel(filesOf(path, file)));
  return {
    inputs: model.inputs.map(factsOf),
    outputs: model.outputs.map(factsOf),
    execute(batch, output) {
      const outputs = [model.predict(batch, { batchSize: batch.shape[0] as number })].flat();
      return outputs[output] as tf.Tensor;
    },
    dispose: () => void model.dispose(),
  };
}

/**
 * Replaces TensorFlow.js's own loader, which follows any path in the file. A file without a manifest gets an empty one: otherwise
 * TensorFlow.js would silently use the initial weights of a layers model.
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

/** A copy, since the memory of small Buffers is shared. */
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

/** The graph does not describe its outputs; its signature does. */
function graphOutput({ modelSignature }: GraphModel, name: string): TensorFacts {
  const sizes = (modelSignature as Signature | undefined)?.outputs?.[name]?.tensorShape?.dim;
  return { name: withoutPort(name), dtype: undefined, shape: sizes?.map(({ size }) => dimension(Number(size))) };
}
