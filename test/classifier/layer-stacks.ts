/** Layers models of all kinds, with weights that are made up but the same each time. */
import * as layers from '@tensorflow/tfjs-layers';
import { tf } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { CONFIG } from './tfjs-folders.ts';

const SIDE = 12;
const { layers: layer } = layers;
type Symbolic = layers.SymbolicTensor;

/** From pictures to whatever is made of them, by what is tried. */
export const STACKS: Record<string, (pixels: Symbolic) => Symbolic> = {
  'convolution, batch norm and ReLU6': (x) =>
    chain(x, layer.conv2d({ filters: 4, kernelSize: 3, useBias: false }), layer.batchNormalization(), relu6()),
  'convolution with bias, then batch norm': (x) =>
    chain(x, layer.conv2d({ filters: 4, kernelSize: 3, padding: 'same', strides: 2 }), layer.batchNormalization()),
  'batch norm that another layer sees the inside of': (x) => {
    const inside = layer.conv2d({ filters: 4, kernelSize: 1 }).apply(x) as Symbolic;
    return layer.add().apply([inside, layer.batchNormalization().apply(inside) as Symbolic]) as Symbolic;
  },
  'batch norm of the pixels': (x) => chain(x, layer.batchNormalization({ scale: false, center: false })),
  'depthwise convolution with batch norm': (x) =>
    chain(x, layer.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, useBias: false }), layer.batchNormalization()),
  'depthwise convolution with bias': (x) => chain(x, layer.depthwiseConv2d({ kernelSize: 3, activation: 'relu' })),
  'separable convolution': (x) => chain(x, layer.separableConv2d({ filters: 5, kernelSize: 3, activation: 'elu' })),
  'convolution with holes': (x) => chain(x, layer.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 })),
  'padding and pools': (x) =>
    chain(
      layer
        .zeroPadding2d({
          padding: [
            [1, 0],
            [2, 1],
          ],
        })
        .apply(x) as Symbolic,
      layer.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      layer.averagePooling2d({ poolSize: 2 }),
    ),
  'largest values of a picture': (x) => chain(x, layer.globalMaxPooling2d({})),
  'activations with parameters': (x) =>
    chain(x, layer.leakyReLU({ alpha: 0.2 }), layer.prelu({}), layer.thresholdedReLU({ theta: 0.1 })),
  'activations by name': (x) => {
    const names = ['sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign', 'selu', 'swish', 'mish'] as const;
    return chain(x, ...names.map((activation) => layer.activation({ activation })));
  },
  'dense layers on pictures': (x) =>
    chain(x, layer.dense({ units: 4, activation: 'tanh' }), layer.activation({ activation: 'softmax' })),
  'dense layers with and without bias': (x) =>
    chain(
      x,
      layer.flatten(),
      layer.dense({ units: 8, activation: 'relu', useBias: false }),
      layer.dense({ units: 6, activation: 'sigmoid' }),
      layer.dropout({ rate: 0.5 }),
    ),
  'branches that are merged': (x) => {
    const branches = [1, 3, 5].map((kernelSize) => {
      const convolution = layer.conv2d({ filters: 3, kernelSize, padding: 'same' });
      return convolution.apply(x) as Symbolic;
    });
    const sides = [layer.maximum(), layer.minimum(), layer.multiply(), layer.average(), layer.concatenate()];
    return layer.concatenate().apply(sides.map((merge) => merge.apply(branches) as Symbolic)) as Symbolic;
  },
  'other shapes': (x) =>
    chain(x, layer.permute({ dims: [2, 1, 3] }), layer.reshape({ targetShape: [6, 24, 3] }), layer.upSampling2d({})),
  'cropped pictures': (x) =>
    chain(
      x,
      layer.cropping2D({
        cropping: [
          [1, 2],
          [3, 1],
        ],
      }),
    ),
  'a model within a model': (x) => {
    const inner = layers.sequential({
      layers: [layer.conv2d({ inputShape: [SIDE, SIDE, 3], filters: 4, kernelSize: 3 }), layer.batchNormalization()],
    });
    return inner.apply(x) as Symbolic;
  },
  'squeeze and excitation': (x) => {
    const squeezed = chain(x, layer.globalAveragePooling2d({}), layer.reshape({ targetShape: [1, 1, 3] }));
    const excited = chain(squeezed, layer.conv2d({ filters: 3, kernelSize: 1, activation: 'sigmoid' }));
    return layer.multiply().apply([x, excited]) as Symbolic;
  },
  'rescaled pixels': (x) => chain(x, layer.rescaling({ scale: 1 / 127.5, offset: -1 })),
};

function relu6(): layers.layers.Layer {
  return layer.reLU({ maxValue: 6 });
}

function chain(from: Symbolic, ...row: layers.layers.Layer[]): Symbolic {
  return row.reduce((x, one) => one.apply(x) as Symbolic, from);
}

/** A model folder of three labels: what a stack makes of pictures, their means, and a dense layer. */
export async function stackFolder(stack: (pixels: Symbolic) => Symbolic): Promise<TemporaryFolder> {
  const pixels = layers.input({ shape: [SIDE, SIDE, 3] });
  const made = stack(pixels);
  const flat = made.shape.length > 2 ? (layer.flatten().apply(made) as Symbolic) : made;
  const scores = layer.dense({ units: 3, activation: 'softmax' }).apply(flat) as Symbolic;
  const model = layers.model({ inputs: pixels, outputs: scores });
  makeUpWeights(model);
  const folder = await createTemporaryFolder();
  await model.save(tf.io.fileSystem(folder.path));
  model.dispose();
  await folder.write('classifier.json', JSON.stringify({ ...CONFIG, inputSize: SIDE, range: [-1, 1] }));
  return folder;
}

/** Small ones; variances must be above 0. */
function makeUpWeights(model: layers.LayersModel): void {
  const weights = model.weights.map(({ name, shape }, seed) => {
    const sizes = shape as number[];
    return name.includes('variance')
      ? tf.randomUniform(sizes, 0.5, 2, 'float32', seed + 1)
      : tf.randomUniform(sizes, -0.4, 0.4, 'float32', seed + 1);
  });
  model.setWeights(weights);
  tf.dispose(weights);
}

/** Two that have no counterpart here. */
export function transposed(pixels: Symbolic): Symbolic {
  return layer.conv2dTranspose({ filters: 2, kernelSize: 3 }).apply(pixels) as Symbolic;
}

/** It repeats its weights for each image. */
export function normalizedByLayer(pixels: Symbolic): Symbolic {
  return layer.layerNormalization({}).apply(pixels) as Symbolic;
}
