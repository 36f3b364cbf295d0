import type { Constant } from './graph-writer.ts';

/** A tensor of a TensorFlow.js run. */
export type TracedTensor = { id: number; shape: readonly number[]; dtype: string };

/** A TensorFlow.js computation that depends on the images: kernel name, inputs, outputs. */
export type TracedKernel = {
  kernel: string;
  /** By their names; lists of tensors have numbers in their order. */
  inputs: ReadonlyMap<string, TracedTensor>;
  attributes: Readonly<Record<string, unknown>>;
  outputs: readonly TracedTensor[];
};

/**
 * All computations of TensorFlow.js for a batch of images, in order. Tensors that do not depend on the images are
 * constants.
 */
export type Trace = {
  input: TracedTensor;
  output: TracedTensor;
  kernels: readonly TracedKernel[];
  constants: ReadonlyMap<number, Constant>;
};

/** A model cannot be written as a SavedModel. The message says why. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

/** A dimension that depends on the number of images. */
export const FREE = -1;

/**
 * One trace of two with different numbers of images: sizes and numbers in which they differ are free.
 *
 * @throws {ConversionError} when they differ in more than that
 */
export function withFreeBatch(one: Trace, other: Trace): Trace {
  if (one.kernels.length !== other.kernels.length) throw differs();
  checkConstants(one, other);
  return {
    input: withFreeShape(one.input, other.input),
    output: withFreeShape(one.output, other.output),
    kernels: one.kernels.map((kernel, index) => withFreeSizes(kernel, other.kernels[index])),
    constants: one.constants,
  };
}

function differs(what = 'computes'): ConversionError {
  return new ConversionError(`the model ${what} something else when there are more images at once`);
}

function withFreeSizes(one: TracedKernel, other: TracedKernel | undefined): TracedKernel {
  if (one.kernel !== other?.kernel || one.outputs.length !== other.outputs.length) throw differs();
  const inputs = [...one.inputs].map(([name, tensor]) => [name, pairShape(tensor, other.inputs.get(name))] as const);
  return {
    kernel: one.kernel,
    inputs: new Map(inputs),
    attributes: common(one.attributes, other.attributes) as TracedKernel['attributes'],
    outputs: one.outputs.map((output, index) => pairShape(output, other.outputs[index])),
  };
}

function pairShape(one: TracedTensor, other: TracedTensor | undefined): TracedTensor {
  if (other === undefined) throw differs();
  return withFreeShape(one, other);
}

function withFreeShape(one: TracedTensor, other: TracedTensor): TracedTensor {
  if (one.shape.length !== other.shape.length) throw differs();
  return { ...one, shape: one.shape.map((size, index) => (size === other.shape[index] ? size : FREE)) };
}

function common(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one === other || Number.isNaN(one) ? one : FREE;
  if (Array.isArray(one) && Array.isArray(other)) return one.map((item, index) => common(item, other[index]));
  if (!isRecord(one) || !isRecord(other)) return one;
  return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, common(value, other[key])]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** They are numbered in order of use, so the numbers agree in both. */
function checkConstants(one: Trace, other: Trace): void {
  const [sizes, otherSizes] = [one, other].map(({ constants }) => [...constants.values()].map(({ shape }) => shape));
  if (JSON.stringify(sizes) !== JSON.stringify(otherSizes)) throw differs('has other constants and computes');
}
