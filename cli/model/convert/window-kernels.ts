import { biased, leakyRelu, prelu } from './elementwise-kernels.ts';
import { normOf } from './fold-batch-norm.ts';
import { attribute } from './graph-attributes.ts';
import type { Attributes, Value } from './graph-writer.ts';
import { type KernelWriter, numberOf, outputShape, pairOf, type WriteKernel } from './kernel-writer.ts';
import { ConversionError, type TracedKernel } from './trace.ts';

/** Sliding-window kernels, matrix products, and the normalizations after them. */
export const WINDOW_KERNELS: ReadonlyMap<string, WriteKernel> = new Map<string, WriteKernel>([
  ['Conv2D', (kernel, writer) => [convolution('Conv2D', kernel, writer)]],
  ['FusedConv2D', (kernel, writer) => [fusedConvolution('Conv2D', kernel, writer)]],
  ['DepthwiseConv2dNative', (kernel, writer) => [convolution('DepthwiseConv2dNative', kernel, writer)]],
  ['FusedDepthwiseConv2D', (kernel, writer) => [fusedConvolution('DepthwiseConv2dNative', kernel, writer)]],
  ['FusedBatchNorm', (kernel, writer) => [batchNorm(kernel, writer)]],
  ['MaxPool', (kernel, writer) => [pool('MaxPool', kernel, writer)]],
  ['AvgPool', (kernel, writer) => [pool('AvgPool', kernel, writer)]],
  ['BatchMatMul', (kernel, writer) => [product(kernel, writer)]],
  ['_FusedMatMul', (kernel, writer) => [fusedProduct(kernel, writer)]],
]);

function convolution(operation: string, kernel: TracedKernel, writer: KernelWriter): Value {
  if ((kernel.attributes['dataFormat'] ?? 'NHWC') !== 'NHWC')
    throw new ConversionError(`${operation} of channels first`);
  const [height, width] = pairOf(kernel, 'strides');
  const dilations = (kernel.attributes['dilations'] ?? null) === null ? [1, 1] : pairOf(kernel, 'dilations');
  const inputs = [writer.input(kernel, 'x'), writer.input(kernel, 'filter')];
  return writer.add(operation, inputs, outputShape(kernel), {
    strides: attribute.wholes([1, height, width, 1]),
    dilations: attribute.wholes([1, ...dilations, 1]),
    data_format: attribute.text('NHWC'),
    ...paddingOf(kernel),
  });
}

/** A number stands for as many pixels on each side, a list for before and after of each dimension. */
function paddingOf({ kernel, attributes: { pad } }: TracedKernel): Attributes {
  if (pad === 'same' || pad === 'valid') return { padding: attribute.text(pad.toUpperCase()) };
  if (pad === 0) return { padding: attribute.text('VALID') };
  const sides =
    typeof pad === 'number' ? [0, 0, pad, pad, pad, pad, 0, 0] : Array.isArray(pad) ? pad.flat() : undefined;
  if (sides?.length !== 8) throw new ConversionError(`${kernel} with the padding ${JSON.stringify(pad)}`);
  return { padding: attribute.text('EXPLICIT'), explicit_paddings: attribute.wholes(sides as number[]) };
}

function fusedConvolution(operation: string, kernel: TracedKernel, writer: KernelWriter): Value {
  return finished(convolution(operation, kernel, writer), kernel, writer);
}

/** With the bias and the activation that TensorFlow.js has in the same kernel. */
function finished(x: Value, kernel: TracedKernel, writer: KernelWriter): Value {
  const bias = writer.optionalInput(kernel, 'bias');
  const sum = bias === undefined ? x : withBias(x, bias, writer);
  return activated(sum, kernel, writer);
}

function withBias(x: Value, bias: Value, writer: KernelWriter): Value {
  const channels = x.shape.at(-1) ?? 0;
  const perChannel = bias.shape.at(-1) === channels && bias.shape.slice(0, -1).every((size) => size === 1);
  if (!perChannel) return writer.add('AddV2', [x, bias], x.shape);
  return biased(x, writer.reshaped(bias, [channels]), writer);
}

const ACTIVATIONS: Readonly<Record<string, string>> = { relu: 'Relu', relu6: 'Relu6', elu: 'Elu', sigmoid: 'Sigmoid' };

function activated(x: Value, kernel: TracedKernel, writer: KernelWriter): Value {
  const activation = String(kernel.attributes['activation'] ?? 'linear');
  if (activation === 'linear') return x;
  if (activation === 'prelu') return prelu(x, writer.input(kernel, 'preluActivationWeights'), writer);
  if (activation === 'leakyrelu') return leakyRelu(x, numberOf(kernel, 'leakyreluAlpha'), writer);
  const operation = Object.hasOwn(ACTIVATIONS, activation) ? ACTIVATIONS[activation] : undefined;
  if (operation === undefined) throw new ConversionError(`${kernel.kernel} with the activation ${activation}`);
  return writer.add(operation, [x], x.shape);
}

/** One that no convolution could take: a product and a sum per channel. */
function batchNorm(kernel: TracedKernel, writer: KernelWriter): Value {
  const x = writer.input(kernel, 'x');
  const norm = normOf(kernel, (tensor) => writer.constantOf(tensor));
  if (norm === undefined) throw new ConversionError('FusedBatchNorm whose mean or variance depends on the images');
  const [gain, shift] = [norm.gain, norm.shift].map((numbers) =>
    writer.graph.constant({ dtype: 'float32', shape: [numbers.length], values: Float32Array.from(numbers) }),
  ) as [Value, Value];
  return biased(writer.add('Mul', [x, gain], x.shape), shift, writer);
}

function pool(operation: string, kernel: TracedKernel, writer: KernelWriter): Value {
  const { pad } = kernel.attributes;
  if (pad !== 'same' && pad !== 'valid' && pad !== 0) {
    throw new ConversionError(`${operation} with the padding ${JSON.stringify(pad)}`);
  }
  return writer.add(operation, [writer.input(kernel, 'x')], outputShape(kernel), {
    ksize: attribute.wholes([1, ...pairOf(kernel, 'filterSize'), 1]),
    strides: attribute.wholes([1, ...pairOf(kernel, 'strides'), 1]),
    data_format: attribute.text('NHWC'),
    ...paddingOf(kernel),
  });
}

function product(kernel: TracedKernel, writer: KernelWriter): Value {
  const [a, b] = [writer.input(kernel, 'a'), writer.input(kernel, 'b')];
  const [left, right] = ['transposeA', 'transposeB'].map((name) => attribute.flag(kernel.attributes[name] === true));
  if (a.shape.length > 2) {
    return writer.add('BatchMatMulV2', [a, b], outputShape(kernel), { adj_x: left as Buffer, adj_y: right as Buffer });
  }
  const attributes = { transpose_a: left as Buffer, transpose_b: right as Buffer };
  return writer.add('MatMul', [a, b], outputShape(kernel), attributes);
}

/** TensorFlow.js gives it matrices as a stack of one. */
function fusedProduct(kernel: TracedKernel, writer: KernelWriter): Value {
  const [a, b] = [writer.input(kernel, 'a'), writer.input(kernel, 'b')];
  if (a.shape[0] !== 1 || b.shape[0] !== 1) return finished(product(kernel, writer), kernel, writer);
  const inputs = [writer.reshaped(a, a.shape.slice(1)), writer.reshaped(b, b.shape.slice(1))];
  const multiplied = writer.add('MatMul', inputs, outputShape(kernel).slice(1), {
    transpose_a: attribute.flag(kernel.attributes['transposeA'] === true),
    transpose_b: attribute.flag(kernel.attributes['transposeB'] === true),
  });
  return writer.reshaped(finished(multiplied, kernel, writer), outputShape(kernel));
}
