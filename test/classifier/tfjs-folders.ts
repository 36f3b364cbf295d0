/** Model folders in TensorFlow.js's formats, made by what TensorFlow.js itself writes where it can. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as layers from '@tensorflow/tfjs-layers';
import { tf } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

export const CONFIG = {
  name: 'tiny',
  version: '3',
  inputSize: 2,
  crop: 1,
  interpolation: 'linear',
  license: 'none',
  labels: ['red', 'green', 'blue'],
};

/** @param config in place of some of `CONFIG`; none is written for null */
async function withConfig(folder: TemporaryFolder, config: Record<string, unknown> | null): Promise<void> {
  if (config !== null) await folder.write('classifier.json', JSON.stringify({ ...CONFIG, ...config }));
}

/** A layers model of 2 x 2 pixels whose scores are the means of the channels. */
export async function layersFolder(config: Record<string, unknown> | null = {}): Promise<TemporaryFolder> {
  const model = layers.sequential({
    layers: [
      layers.layers.inputLayer({ inputShape: [2, 2, 3] }),
      layers.layers.globalAveragePooling2d({ name: 'means' }),
    ],
  });
  const folder = await createTemporaryFolder();
  await model.save(tf.io.fileSystem(folder.path));
  model.dispose();
  await withConfig(folder, config);
  return folder;
}

/**
 * A layers model of 2 x 2 pixels from 0 to 255 that says which channel is bright: a softmax of
 * (mean of the channel - 128) / 8.
 *
 * @param ownRescaling with a layer that makes a range of [0, 1] of the pixels first
 */
export async function brightChannelFolder(
  config: Record<string, unknown> = {},
  ownRescaling = false,
): Promise<TemporaryFolder> {
  const means = layers.layers.globalAveragePooling2d({});
  const dense = layers.layers.dense({ units: 3, activation: 'softmax' });
  const model = layers.sequential({
    layers: [
      layers.layers.inputLayer({ inputShape: [2, 2, 3] }),
      ...(ownRescaling ? [layers.layers.rescaling({ scale: 1 / 255 })] : []),
      means,
      dense,
    ],
  });
  const gain = ownRescaling ? 255 / 8 : 1 / 8;
  const diagonal = [1, 0, 0, 0, 1, 0, 0, 0, 1].map((one) => one * gain);
  // Made here, not by TensorFlow: jest gives each test arrays of its own kind, and tfjs-core refuses others.
  tf.tidy(() => dense.setWeights([tf.tensor2d(diagonal, [3, 3]), tf.tensor1d([-16, -16, -16])]));
  const folder = await createTemporaryFolder();
  await model.save(tf.io.fileSystem(folder.path));
  model.dispose();
  await withConfig(folder, config);
  return folder;
}

type GraphOptions = {
  dtype?: 'DT_FLOAT' | 'DT_INT32';
  shape?: [batch: number, height: number, width: number, channels: number];
  /** Over which means are taken; with the batch among them, images are mixed up. */
  axes?: [number, number];
};

/** A graph model of the same, as the converter writes it; one that takes int32 makes float32 of it itself. */
export async function graphFolder(
  config: Record<string, unknown> = {},
  { dtype = 'DT_FLOAT', shape = [-1, 2, 2, 3], axes = [1, 2] }: GraphOptions = {},
): Promise<TemporaryFolder> {
  const folder = await createTemporaryFolder();
  const dim = shape.map((size) => ({ size: String(size) }));
  const float = { type: 'DT_FLOAT' };
  const node = [
    { name: 'images', op: 'Placeholder', attr: { dtype: { type: dtype }, shape: { shape: { dim } } } },
    {
      name: 'axes',
      op: 'Const',
      attr: {
        dtype: { type: 'DT_INT32' },
        value: { tensor: { dtype: 'DT_INT32', tensorShape: { dim: [{ size: '2' }] } } },
      },
    },
    { name: 'floats', op: 'Cast', input: ['images'], attr: { SrcT: { type: dtype }, DstT: float } },
    { name: 'means', op: 'Mean', input: ['floats', 'axes'], attr: { T: float, Tidx: { type: 'DT_INT32' } } },
    { name: 'doubled', op: 'AddV2', input: ['means', 'means'], attr: { T: float } },
  ];
  const model = {
    format: 'graph-model',
    modelTopology: { node, versions: { producer: 1_000 } },
    weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: [{ name: 'axes', shape: [2], dtype: 'int32' }] }],
    signature: {
      inputs: { images: { name: 'images:0', dtype, tensorShape: { dim } } },
      outputs: {
        'means:0': { name: 'means:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '3' }] } },
        'doubled:0': { name: 'doubled:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '3' }] } },
      },
    },
  };
  await folder.write('model.json', JSON.stringify(model));
  await folder.write('group1-shard1of1.bin', Buffer.from(Int32Array.from(axes).buffer));
  await withConfig(folder, config);
  return folder;
}

/** What `metadata.json` of a Teachable Machine export holds (format of `@teachablemachine/image` 0.8.4). */
export const METADATA = {
  tfjsVersion: '1.3.1',
  tmVersion: '2.4.5',
  packageVersion: '0.8.4-alpha2',
  packageName: '@teachablemachine/image',
  timeStamp: '2026-11-24T07:41:02.113Z',
  userMetadata: {},
  modelName: 'cups-and-cats',
  labels: ['cups', 'cats', 'rockets'],
  imageSize: 224,
};

/**
 * A folder as Teachable Machine exports it: a network without its top and a small trained head, both
 * sequential models within a sequential one; model.json, metadata.json and weights.bin. The weights
 * are random, but the same each time.
 */
export async function teachableMachineFolder(metadata: Record<string, unknown> = {}): Promise<TemporaryFolder> {
  const initializer = (seed: number) => layers.initializers.glorotUniform({ seed });
  const base = layers.sequential({
    layers: [
      layers.layers.conv2d({
        inputShape: [224, 224, 3],
        filters: 8,
        kernelSize: 3,
        strides: 4,
        activation: 'relu',
        kernelInitializer: initializer(1),
      }),
      layers.layers.globalAveragePooling2d({}),
    ],
  });
  const head = layers.sequential({
    layers: [
      layers.layers.dense({ inputShape: [8], units: 100, activation: 'relu', kernelInitializer: initializer(2) }),
      layers.layers.dense({ units: 3, useBias: false, activation: 'softmax', kernelInitializer: initializer(3) }),
    ],
  });
  const model = layers.sequential({ layers: [base, head] });
  const folder = await createTemporaryFolder();
  await model.save(tf.io.fileSystem(folder.path));
  model.dispose();
  // A browser's download names no version of the format.
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(folder.path, 'model.json'), 'utf8'));
  await rm(join(folder.path, 'model.json'));
  await writeFile(join(folder.path, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }));
  await folder.write('metadata.json', JSON.stringify({ ...METADATA, ...metadata }));
  return folder;
}
