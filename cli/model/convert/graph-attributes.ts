/** Attributes of operations as a graph has them (AttrValue), and types and shapes. */
import { bytesField, floatField, varintField, varintsField } from '../../../shared/classifier/model/protobuf-writer.ts';

/** The TensorFlow.js types that image classifiers use. */
export type DataType = 'float32' | 'int32' | 'bool';

/** As TensorFlow numbers them (types.proto). */
const TYPE_NUMBERS: Record<DataType, number> = { float32: 1, int32: 3, bool: 10 };

export function typeNumber(dtype: DataType): number {
  return TYPE_NUMBERS[dtype];
}

export const attribute = {
  type: (dtype: DataType) => varintField(6, TYPE_NUMBERS[dtype]),
  shape: (shape: readonly number[]) => bytesField(7, dimensions(shape)),
  flag: (value: boolean) => varintField(5, value ? 1 : 0),
  whole: (value: number) => varintField(3, value),
  real: (value: number) => floatField(4, value),
  text: (value: string) => bytesField(2, value),
  wholes: (values: readonly number[]) => bytesField(1, varintsField(3, values)),
};

/** @param shape -1 for a dimension that is free */
export function dimensions(shape: readonly number[]): Buffer {
  return Buffer.concat(shape.map((size) => bytesField(2, varintField(1, size))));
}
