import type { Constant } from './graph-writer.ts';
import type { Trace, TracedKernel, TracedTensor } from './trace.ts';

/** The convolutions, and what they are when they have a bias. */
const WITH_BIAS: ReadonlyMap<string, string> = new Map([
  ['Conv2D', 'FusedConv2D'],
  ['FusedConv2D', 'FusedConv2D'],
  ['DepthwiseConv2dNative', 'FusedDepthwiseConv2D'],
  ['FusedDepthwiseConv2D', 'FusedDepthwiseConv2D'],
]);

/**
 * A trace whose batch norms are in the weights of the convolutions before them, as far as nothing else needs what is
 * between the two. In 64 bits, rounded once.
 */
export function withFoldedBatchNorms(trace: Trace): Trace {
  const makers = new Map(trace.kernels.flatMap((kernel) => kernel.outputs.map(({ id }) => [id, kernel] as const)));
  const uses = usesOf(trace);
  const constants = new Map(trace.constants);
  const replaced = new Map<TracedKernel, TracedKernel | undefined>();
  for (const norm of trace.kernels) {
    const convolution = makers.get(norm.inputs.get('x')?.id ?? Number.NaN);
    if (norm.kernel !== 'FusedBatchNorm' || convolution === undefined) continue;
    if (uses.get(convolution.outputs[0]?.id ?? Number.NaN) !== 1) continue;
    const folded = fold(convolution, norm, constants);
    if (folded === undefined) continue;
    replaced.set(norm, folded).set(convolution, undefined);
  }
  const kernels = trace.kernels.flatMap((kernel) => {
    const other = replaced.has(kernel) ? replaced.get(kernel) : kernel;
    return other === undefined ? [] : [other];
  });
  return { ...trace, kernels, constants };
}

/** How often each tensor is taken. */
function usesOf({ kernels, output }: Trace): Map<number, number> {
  const uses = new Map([[output.id, 1]]);
  for (const { inputs } of kernels) for (const { id } of inputs.values()) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}

/** @returns undefined where it cannot be done */
function fold(
  convolution: TracedKernel,
  norm: TracedKernel,
  constants: Map<number, Constant>,
): TracedKernel | undefined {
  const kernel = WITH_BIAS.get(convolution.kernel);
  const activation = convolution.attributes['activation'] ?? 'linear';
  const filter = constants.get(convolution.inputs.get('filter')?.id ?? Number.NaN);
  const before = convolution.inputs.get('bias');
  const bias = before === undefined ? undefined : constants.get(before.id);
  const linear = normOf(norm, (tensor) => constants.get(tensor.id));
  if (kernel === undefined || activation !== 'linear' || filter === undefined || linear === undefined) return undefined;
  if (before !== undefined && bias === undefined) return undefined;
  const { gain, shift } = linear;
  const output = norm.outputs[0] as TracedTensor;
  return {
    kernel,
    inputs: new Map([
      ...convolution.inputs,
      ['filter', added(constants, scaled(filter, gain))],
      ['bias', added(constants, vector(shift.map((one, index) => one + (bias?.values[index] ?? 0) * at(gain, index))))],
    ]),
    attributes: { ...convolution.attributes, activation: 'linear' },
    outputs: [output],
  };
}

/** What a batch norm does to each channel: gain * x + shift. Undefined when it depends on the images. */
export function normOf(
  { inputs, attributes }: TracedKernel,
  constantOf: (tensor: TracedTensor) => Constant | undefined,
): { gain: Float64Array; shift: Float64Array } | undefined {
  const parts = new Map([...inputs].map(([name, tensor]) => [name, constantOf(tensor)]));
  parts.delete('x');
  if ([...parts.values()].some((constant) => constant?.shape.length !== 1)) return undefined;
  const [mean, variance, scale, offset] = ['mean', 'variance', 'scale', 'offset'].map((name) => parts.get(name));
  if (mean === undefined || variance === undefined) return undefined;
  const epsilon = attributes['varianceEpsilon'] as number;
  const gain = Float64Array.from(variance.values, (value, index) => {
    return (scale === undefined ? 1 : at(scale.values, index)) / Math.sqrt(value + epsilon);
  });
  const shift = Float64Array.from(mean.values, (value, index) => {
    return (offset === undefined ? 0 : at(offset.values, index)) - value * at(gain, index);
  });
  return { gain, shift };
}

/** Of filters [height, width, in, out] and, depthwise, [height, width, channels, multiplier]: the last or the last two. */
function scaled({ shape, values, dtype }: Constant, gain: Float64Array): Constant {
  return { dtype, shape, values: Float32Array.from(values, (value, index) => value * at(gain, index % gain.length)) };
}

function vector(values: Float64Array): Constant {
  return { dtype: 'float32', shape: [values.length], values: Float32Array.from(values) };
}

/** Numbers below zero are those that TensorFlow.js does not give. */
function added(constants: Map<number, Constant>, constant: Constant): TracedTensor {
  const id = -1 - constants.size;
  constants.set(id, constant);
  return { id, shape: constant.shape, dtype: constant.dtype };
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
