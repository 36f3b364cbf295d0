import { attribute } from './graph-attributes.ts';
import type { Value } from './graph-writer.ts';
import { dataType, type KernelWriter, numberOf, outputShape, type WriteKernel } from './kernel-writer.ts';
import { ConversionError, type TracedKernel } from './trace.ts';

/** One input tensor, one output of the same type; TensorFlow uses the same names. */
const UNARY = `Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Expm1 Floor Log Log1p Neg Reciprocal Relu
  Relu6 Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Sqrt Square Tan Tanh`.split(/\s+/);

/** Two inputs, broadcast to the same shape. */
const BINARY: Readonly<Record<string, string>> = {
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'RealDiv',
  FloorDiv: 'FloorDiv',
  Mod: 'FloorMod',
  Maximum: 'Maximum',
  Minimum: 'Minimum',
  Pow: 'Pow',
  SquaredDifference: 'SquaredDifference',
};

const COMPARISONS = ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'];

export const ELEMENTWISE_KERNELS: ReadonlyMap<string, WriteKernel> = new Map<string, WriteKernel>([
  ...UNARY.map((operation) => [operation, sameAs(operation)] as const),
  ...Object.entries(BINARY).map(([kernel, operation]) => [kernel, sameAs(operation)] as const),
  ...COMPARISONS.map((operation) => [operation, comparison(operation)] as const),
  ['Add', writeAdd],
  ['AddN', (kernel, writer) => [sum(kernel, writer)]],
  ['Softmax', (kernel, writer) => [overLastAxis('Softmax', kernel, writer)]],
  ['LogSoftmax', (kernel, writer) => [overLastAxis('LogSoftmax', kernel, writer)]],
  ['Cast', (kernel, writer) => [cast(kernel, writer)]],
  ['ClipByValue', (kernel, writer) => [clip(kernel, writer)]],
  ['LeakyRelu', (kernel, writer) => [leakyRelu(writer.input(kernel, 'x'), numberOf(kernel, 'alpha'), writer)]],
  ['Prelu', (kernel, writer) => [prelu(writer.input(kernel, 'x'), writer.input(kernel, 'alpha'), writer)]],
  ['Select', (kernel, writer) => [select(kernel, writer)]],
]);

function sameAs(operation: string): WriteKernel {
  return (kernel, writer) => [writer.add(operation, writer.inputs(kernel), outputShape(kernel))];
}

function comparison(operation: string): WriteKernel {
  return (kernel, writer) => [{ ...writer.add(operation, writer.inputs(kernel), outputShape(kernel)), dtype: 'bool' }];
}

/** TensorFlow joins a bias with what is before and after it, other sums not. */
function writeAdd(kernel: TracedKernel, writer: KernelWriter): Value[] {
  const [a, b] = writer.inputs(kernel) as [Value, Value];
  const constant = writer.constantOf(kernel.inputs.get('b'));
  const channels = a.shape.at(-1);
  const isBias = constant?.shape.at(-1) === channels && constant?.values.length === channels && a.dtype === 'float32';
  if (!isBias || a.shape.length < 2 || channels === undefined) {
    return [writer.add('AddV2', [a, b], outputShape(kernel))];
  }
  return [biased(a, writer.reshaped(b, [channels]), writer)];
}

/** With a number added to each channel. */
export function biased(x: Value, bias: Value, writer: KernelWriter): Value {
  return writer.add('BiasAdd', [x, bias], x.shape, { data_format: attribute.text('NHWC') });
}

function sum(kernel: TracedKernel, writer: KernelWriter): Value {
  const inputs = writer.inputs(kernel);
  return writer.add('AddN', inputs, outputShape(kernel), { N: attribute.whole(inputs.length) });
}

function overLastAxis(operation: string, kernel: TracedKernel, writer: KernelWriter): Value {
  const logits = writer.input(kernel, 'logits');
  const axis = numberOf(kernel, operation === 'Softmax' ? 'dim' : 'axis');
  if (axis !== -1 && axis !== logits.shape.length - 1) throw new ConversionError(`${operation} over the axis ${axis}`);
  return writer.add(operation, [logits], outputShape(kernel));
}

function cast(kernel: TracedKernel, writer: KernelWriter): Value {
  const x = writer.input(kernel, 'x');
  const dtype = dataType(String(kernel.attributes['dtype']));
  const attributes = { SrcT: attribute.type(x.dtype), DstT: attribute.type(dtype) };
  return writer.graph.add('Cast', [x], attributes, { dtype, shape: x.shape });
}

function clip(kernel: TracedKernel, writer: KernelWriter): Value {
  const x = writer.input(kernel, 'x');
  const [least, most] = ['clipValueMin', 'clipValueMax'].map((name) => scalar(numberOf(kernel, name), writer));
  return writer.add('ClipByValue', [x, least as Value, most as Value], x.shape);
}

function scalar(number: number, { graph }: KernelWriter): Value {
  return graph.constant({ dtype: 'float32', shape: [], values: Float32Array.of(number) });
}

export function leakyRelu(x: Value, alpha: number, writer: KernelWriter): Value {
  return writer.add('LeakyRelu', [x], x.shape, { alpha: attribute.real(alpha) });
}

/** TensorFlow has no operation for it: relu(x) - alpha * relu(-x). */
export function prelu(x: Value, alpha: Value, writer: KernelWriter): Value {
  const above = writer.add('Relu', [x], x.shape);
  const below = writer.add('Relu', [writer.add('Neg', [x], x.shape)], x.shape);
  return writer.add('Sub', [above, writer.add('Mul', [below, alpha], x.shape)], x.shape);
}

function select(kernel: TracedKernel, writer: KernelWriter): Value {
  const [condition, whenTrue, whenFalse] = ['condition', 't', 'e'].map((name) => writer.input(kernel, name)) as [
    ...[Value, Value, Value],
  ];
  const type = { T: attribute.type(whenTrue.dtype) };
  const like = { dtype: whenTrue.dtype, shape: outputShape(kernel) };
  return writer.graph.add('SelectV2', [condition, whenTrue, whenFalse], type, like);
}
