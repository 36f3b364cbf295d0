/** The smallest SavedModel that is of use to a test, written as protocol buffers by hand. */

/** As TensorFlow numbers its types. */
const TYPES = { float32: 1, float64: 2, int32: 3 } as const;
type Type = keyof typeof TYPES;

/** A field: numbers are varints, text is bytes, a list is a message of fields. */
type Field = [number: number, value: number | string | Buffer | Field[]];

function encode(fields: Field[]): Buffer {
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

function attribute(name: string, value: Field): Field {
  const entry: Field[] = [
    [1, name],
    [2, [value]],
  ];
  return [5, entry];
}

function node(name: string, op: string, inputs: string[], attributes: Field[]): Field {
  return [1, [[1, name], [2, op], ...inputs.map((input): Field => [3, input]), ...attributes]];
}

function shape(...sizes: number[]): Field[] {
  return sizes.map((size): Field => [2, [[1, size]]]);
}

/** Sizes of a dimension; -1 is any. */
type Shape = [batch: number, height: number, width: number, channels: number];

/**
 * The bytes of a `saved_model.pb` with the input `images` of shape [any, size, size, 3], if no other is
 * given, and the output `means` of shape [any, 3]: the mean of each channel.
 */
export function channelMeans(size: number, type: Type, inputShape: Shape = [-1, size, size, 3]): Buffer {
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
  ];
  const tensor = (name: string, ...sizes: number[]): Field[] => [
    [1, name],
    [2, dtype],
    [3, shape(...sizes)],
  ];
  const signature: Field[] = [
    [
      1,
      [
        [1, 'images'],
        [2, tensor('images:0', ...inputShape)],
      ],
    ],
    [
      2,
      [
        [1, 'means'],
        [2, tensor('mean:0', inputShape[0], 3)],
      ],
    ],
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
  ];
  return encode([
    [1, 1],
    [2, metaGraph],
  ]);
}
