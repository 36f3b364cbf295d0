import { bytesField, varintField } from '../../../shared/classifier/model/protobuf-writer.ts';
import { attribute, type DataType, dimensions, typeNumber } from './graph-attributes.ts';

/** The result of an operation. */
export type Value = {
  /** As other operations name it. */
  name: string;
  dtype: DataType;
  /** -1 for a dimension that depends on how many images there are. */
  shape: readonly number[];
  /** The same numbers in other shapes. */
  reshapedFrom?: Value;
  /** What it always is. */
  constant?: Constant;
};

/** A tensor of known numbers. */
export type Constant = { dtype: DataType; shape: readonly number[]; values: Float32Array | Int32Array | Uint8Array };

export type Attributes = Record<string, Buffer>;

/** The version of the operations, which TensorFlow converts from (TF_GRAPH_DEF_VERSION of 2.18.1). */
const PRODUCER = 1_994;
const TENSORFLOW = '2.18.1';
const TAG = 'serve';
const METHOD = 'tensorflow/serving/predict';

/** Writes a graph, operation by operation, and the SavedModel around it. */
export class GraphWriter {
  /** By name, in insertion order. */
  readonly #nodes = new Map<string, { inputs: string[]; bytes: Buffer }>();

  /** @returns the first output of the operation; others of the same shape are `outputOf` it */
  add(operation: string, inputs: readonly Value[], attributes: Attributes, like: Omit<Value, 'name'>): Value {
    const name = `${operation}_${this.#nodes.size}`;
    const bytes = bytesField(
      1,
      bytesField(1, name),
      bytesField(2, operation),
      ...inputs.map((input) => bytesField(3, input.name)),
      ...Object.entries(attributes).map(([key, value]) => bytesField(5, bytesField(1, key), bytesField(2, value))),
    );
    this.#nodes.set(name, { inputs: inputs.map((input) => input.name.replace(/:\d+$/, '')), bytes });
    return { name, dtype: like.dtype, shape: like.shape };
  }

  constant(constant: Constant): Value {
    const { dtype, shape, values } = constant;
    const tensor = [
      varintField(1, typeNumber(dtype)),
      bytesField(2, dimensions(shape)),
      bytesField(4, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
    ];
    const attributes = { dtype: attribute.type(dtype), value: bytesField(8, ...tensor) };
    return { ...this.add('Const', [], attributes, { dtype, shape }), constant };
  }

  /** Integer parameters of an operation. */
  wholeNumbers(numbers: readonly number[]): Value {
    return this.constant({ dtype: 'int32', shape: [numbers.length], values: Int32Array.from(numbers) });
  }

  /** A single one. */
  wholeNumber(number: number): Value {
    return this.constant({ dtype: 'int32', shape: [], values: Int32Array.of(number) });
  }

  /** The operations that these values depend on, in order. */
  #needed(values: readonly Value[]): Buffer[] {
    const names = new Set(values.map(({ name }) => name));
    // The loop also visits names that it adds.
    for (const name of names) for (const input of this.#nodes.get(name)?.inputs ?? []) names.add(input);
    return [...this.#nodes].flatMap(([name, { bytes }]) => (names.has(name) ? [bytes] : []));
  }

  /** The bytes of a `saved_model.pb` with one signature; operations that the output does not need are left out. */
  savedModel(signature: string, input: [name: string, value: Value], output: [name: string, value: Value]): Buffer {
    const about = bytesField(1, bytesField(4, TAG), bytesField(5, TENSORFLOW));
    const graph = bytesField(2, ...this.#needed([input[1], output[1]]), bytesField(4, varintField(1, PRODUCER)));
    const definition = [described(1, ...input), described(2, ...output), bytesField(3, METHOD)];
    const signatures = bytesField(5, bytesField(1, signature), bytesField(2, ...definition));
    return Buffer.concat([varintField(1, 1), bytesField(2, about, graph, signatures)]);
  }
}

/** Another output of an operation that has several. */
export function outputOf(first: Value, index: number, shape: readonly number[]): Value {
  return { ...first, shape, name: index === 0 ? first.name : `${first.name}:${index}` };
}

/** An input or an output of a signature. */
function described(field: number, name: string, { name: node, dtype, shape }: Value): Buffer {
  const facts = [bytesField(1, `${node}:0`), varintField(2, typeNumber(dtype)), bytesField(3, dimensions(shape))];
  return bytesField(field, bytesField(1, name), bytesField(2, ...facts));
}
