/** The smallest SavedModel that is of use to a test, written as protocol buffers by hand. */

/** As TensorFlow numbers its types. */
const TYPES = { float32: 1, float64: 2, int32: 3 } as const;
type Type = keyof typeof TYPES;

/** A field: numbers are varints, text is bytes, a list is a message of fields. */
export type Field = [number: number, value: number | string | Buffer | Field[]];

export function encode(fields: Field[]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
      const bytes = Array.isArray(value) ? encode(value) : Buffer.from(value);
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}

export function attribute(name: string, value: Field): Field {
  const entry: Field[] = [
    [1, name],
    [2, [value]],
  ];
  return [5, entry];
}

export function node(name: string, op: string, inputs: string[], attributes: Field[]): Field {
  return [1, [[1, name], [2, op], ...inputs.map((input): Field => [3, input]), ...attributes]];
}

export function shape(...sizes: number[]): Field[] {
  return sizes.map((size): Field => [2, [[1, size]]]);
}

/** Sizes of a dimension; -1 is any. */
type Shape = [batch: number, height: number, width: number, channels: number];

/** What a test adds to the model of `channelMeans`, each a field of its message. */
export type Additions = {
  /** Of the graph: nodes, a library of functions. */
  graph?: Field[];
  /** Of the meta graph: a saver, collections, further graphs. */
  metaGraph?: Field[];
  /** The tensor that is the model's answer; the means without. */
  answer?: string;
  /** Its type as TensorFlow numbers it; that of the images without. */
  answerType?: number;
  /** Further outputs of the signature: their names, tensors and types as TensorFlow numbers them. */
  outputs?: { name: string; tensor: string; type: number; sizes: number[] }[];
};

/**
 * The bytes of a `saved_model.pb` with the input `images` of shape [any, size, size, 3], if no other is
 * given, and the output `means` of shape [any, 3]: the mean of each channel.
 */
export function channelMeans(
  size: number,
  type: Type,
  inputShape: Shape = [-1, size, size, 3],
  { graph: more = [], metaGraph: beside = [], answer = 'mean:0', answerType, outputs = [] }: Additions = {},
): Buffer {
  const dtype = TYPES[type];
  const axes = Buffer.from(Int32Array.of(1, 2).buffer);
  const axesTensor: Field[] = [
    [1, TYPES.int32],
    [2, shape(2)],
    [4, axes],
  ];
  const graph: Field[] = [
    node('images', 'Placeholder', [], [attribute('dtype', [6, dtype]), attribute('shape', [7, shape(...inputShape)])]),
    node('axes', 'Const', [], [attribute('dtype', [6, TYPES.int32]), attribute('value', [8, axesTensor])]),
    node('mean', 'Mean', ['images', 'axes'], [attribute('T', [6, dtype]), attribute('Tidx', [6, TYPES.int32])]),
    [4, [[1, 1_000]]],
    ...more,
  ];
  const tensor = (name: string, numberOfType: number, ...sizes: number[]): Field[] => [
    [1, name],
    [2, numberOfType],
    [3, shape(...sizes)],
  ];
  const signature: Field[] = [
    [
      1,
      [
        [1, 'images'],
        [2, tensor('images:0', dtype, ...inputShape)],
      ],
    ],
    [
      2,
      [
        [1, 'means'],
        [2, tensor(answer, answerType ?? dtype, inputShape[0], 3)],
      ],
    ],
    ...outputs.map(
      ({ name, tensor: from, type, sizes }): Field => [
        2,
        [
          [1, name],
          [2, tensor(from, type, ...sizes)],
        ],
      ],
    ),
    [3, 'tensorflow/serving/predict'],
  ];
  const metaGraph: Field[] = [
    [1, [[4, 'serve']]],
    [2, graph],
    [
      5,
      [
        [1, 'serving_default'],
        [2, signature],
      ],
    ],
    ...beside,
  ];
  return encode([
    [1, 1],
    [2, metaGraph],
  ]);
}
