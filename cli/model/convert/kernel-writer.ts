import { attribute, type DataType } from './graph-attributes.ts';
import { type Attributes, type Constant, GraphWriter, type Value } from './graph-writer.ts';
import { ConversionError, FREE, type Trace, type TracedKernel, type TracedTensor } from './trace.ts';

/** Writes what a kernel of TensorFlow.js computes by operations of TensorFlow. @returns its outputs */
export type WriteKernel = (kernel: TracedKernel, writer: KernelWriter) => Value[];

/** What those who write kernels need. */
export class KernelWriter {
  readonly graph = new GraphWriter();
  readonly #constants: Trace['constants'];
  readonly #values = new Map<number, Value>();

  constructor(constants: Trace['constants']) {
    this.#constants = constants;
  }

  set(tensor: TracedTensor, value: Value): void {
    this.#values.set(tensor.id, value);
  }

  /** The value of a tensor; a constant is written when it is first asked for. */
  valueOf(tensor: TracedTensor): Value {
    const known = this.#values.get(tensor.id);
    if (known !== undefined) return known;
    const constant = this.#constants.get(tensor.id);
    if (constant === undefined) throw new Error(`a tensor of which nothing is known: ${tensor.id}`);
    const value = this.graph.constant(constant);
    this.#values.set(tensor.id, value);
    return value;
  }

  input({ inputs, kernel }: TracedKernel, name: string): Value {
    const tensor = inputs.get(name);
    if (tensor === undefined) throw new ConversionError(`${kernel} lacks ${name}`);
    return this.valueOf(tensor);
  }

  optionalInput(kernel: TracedKernel, name: string): Value | undefined {
    const tensor = kernel.inputs.get(name);
    return tensor === undefined ? undefined : this.valueOf(tensor);
  }

  /** All inputs, in their order. */
  inputs({ inputs }: TracedKernel): Value[] {
    return [...inputs.values()].map((tensor) => this.valueOf(tensor));
  }

  constantOf(tensor: TracedTensor | undefined): Constant | undefined {
    return tensor === undefined ? undefined : this.#constants.get(tensor.id);
  }

  /** An operation whose type is that of its first input, and whose output is of this shape. */
  add(operation: string, inputs: readonly Value[], shape: readonly number[], attributes: Attributes = {}): Value {
    const [{ dtype } = this.#missing(operation)] = inputs;
    return this.graph.add(operation, inputs, { T: attribute.type(dtype), ...attributes }, { dtype, shape });
  }

  #missing(operation: string): never {
    throw new ConversionError(`${operation} lacks its input`);
  }

  /** The same numbers in another shape; no operation where they were in it before. */
  reshaped(value: Value, shape: readonly number[]): Value {
    for (let earlier: Value | undefined = value; earlier !== undefined; earlier = earlier.reshapedFrom) {
      if (String(earlier.shape) === String(shape)) return earlier;
    }
    if (value.constant !== undefined) return this.graph.constant({ ...value.constant, shape });
    if (shape.filter((size) => size === FREE).length > 1) {
      throw new ConversionError(`Reshape to a shape of which more than one side depends on the number of images`);
    }
    const attributes = { Tshape: attribute.type('int32') };
    const output = this.add('Reshape', [value, this.graph.wholeNumbers(shape)], shape, attributes);
    return { ...output, reshapedFrom: value };
  }
}

export function outputShape({ outputs, kernel }: TracedKernel): readonly number[] {
  const [output] = outputs;
  if (output === undefined) throw new ConversionError(`${kernel} gives nothing`);
  return output.shape;
}

export function dataType(text: string): DataType {
  if (text === 'float32' || text === 'int32' || text === 'bool') return text;
  throw new ConversionError(`the model computes with ${text}, which a SavedModel cannot hold`);
}

/** A number, or a list of them, of a kernel's attributes. */
export function numbersOf({ kernel, attributes }: TracedKernel, name: string): number[] {
  const found = [attributes[name]].flat();
  if (found.every((one): one is number => typeof one === 'number')) return found;
  throw new ConversionError(`${kernel} with ${name} of ${JSON.stringify(attributes[name])}`);
}

export function numberOf(kernel: TracedKernel, name: string): number {
  return numbersOf(kernel, name)[0] ?? 0;
}

/** Of a picture: how far a window steps or reaches, height and width. */
export function pairOf(kernel: TracedKernel, name: string): [height: number, width: number] {
  const [height = 1, width = height] = numbersOf(kernel, name);
  return [height, width];
}
