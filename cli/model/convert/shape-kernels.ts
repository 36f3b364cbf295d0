import { attribute } from './graph-attributes.ts';
import { type Attributes, outputOf, type Value } from './graph-writer.ts';
import { type KernelWriter, numberOf, numbersOf, outputShape, pairOf, type WriteKernel } from './kernel-writer.ts';
import { ConversionError, type TracedKernel } from './trace.ts';

const INDEX: Attributes = { Tidx: attribute.type('int32') };

/** Kernels that move, select or reduce numbers. */
export const SHAPE_KERNELS: ReadonlyMap<string, WriteKernel> = new Map<string, WriteKernel>([
  ['Identity', (kernel, writer) => [writer.add('Identity', writer.inputs(kernel), outputShape(kernel))]],
  ['Reshape', (kernel, writer) => [writer.reshaped(writer.input(kernel, 'x'), outputShape(kernel))]],
  ['ExpandDims', (kernel, writer) => [writer.reshaped(writer.input(kernel, 'input'), outputShape(kernel))]],
  ...['Mean', 'Sum', 'Prod', 'Min'].map((name) => [name, reduction(name, 'axis')] as const),
  ['Max', reduction('Max', 'reductionIndices')],
  ['Transpose', withNumbers('Transpose', 'perm', { Tperm: attribute.type('int32') })],
  ['Reverse', withNumbers('ReverseV2', 'dims', INDEX)],
  ['Tile', withNumbers('Tile', 'reps', { Tmultiples: attribute.type('int32') })],
  ['Concat', (kernel, writer) => [concatenation(kernel, writer)]],
  ['Pack', (kernel, writer) => [stacked(kernel, writer)]],
  ['Unpack', unstacked],
  ['SplitV', split],
  ['Slice', (kernel, writer) => [slice(kernel, writer)]],
  ['PadV2', (kernel, writer) => [padded(kernel, writer)]],
  ['MirrorPad', (kernel, writer) => [mirrored(kernel, writer)]],
  ['GatherV2', (kernel, writer) => [gathered(kernel, writer)]],
  ['ResizeBilinear', resized('ResizeBilinear')],
  ['ResizeNearestNeighbor', resized('ResizeNearestNeighbor')],
]);

function withNumbers(operation: string, name: string, attributes: Attributes): WriteKernel {
  return (kernel, writer) => {
    const inputs = [writer.input(kernel, 'x'), writer.graph.wholeNumbers(numbersOf(kernel, name))];
    return [writer.add(operation, inputs, outputShape(kernel), attributes)];
  };
}

/** Reduces over all axes if none is given. */
function reduction(operation: string, name: string): WriteKernel {
  return (kernel, writer) => {
    const x = writer.input(kernel, 'x');
    const axes =
      kernel.attributes[name] === undefined || kernel.attributes[name] === null
        ? [...x.shape.keys()]
        : numbersOf(kernel, name);
    const keeps = attribute.flag(kernel.attributes['keepDims'] === true);
    const inputs = [x, writer.graph.wholeNumbers(axes)];
    return [writer.add(operation, inputs, outputShape(kernel), { ...INDEX, keep_dims: keeps })];
  };
}

function concatenation(kernel: TracedKernel, writer: KernelWriter): Value {
  const parts = writer.inputs(kernel);
  const inputs = [...parts, writer.graph.wholeNumber(numberOf(kernel, 'axis'))];
  return writer.add('ConcatV2', inputs, outputShape(kernel), { ...INDEX, N: attribute.whole(parts.length) });
}

function stacked(kernel: TracedKernel, writer: KernelWriter): Value {
  const parts = writer.inputs(kernel);
  const attributes = { N: attribute.whole(parts.length), axis: attribute.whole(numberOf(kernel, 'axis')) };
  return writer.add('Pack', parts, outputShape(kernel), attributes);
}

function unstacked(kernel: TracedKernel, writer: KernelWriter): Value[] {
  const attributes = {
    num: attribute.whole(kernel.outputs.length),
    axis: attribute.whole(numberOf(kernel, 'axis')),
  };
  const first = writer.add('Unpack', [writer.input(kernel, 'value')], outputShape(kernel), attributes);
  return kernel.outputs.map(({ shape }, index) => outputOf(first, index, shape));
}

function split(kernel: TracedKernel, writer: KernelWriter): Value[] {
  const x = writer.input(kernel, 'x');
  const axis = numberOf(kernel, 'axis');
  const along = axis < 0 ? axis + x.shape.length : axis;
  const sizes = kernel.outputs.map(({ shape }) => shape[along] as number);
  const inputs = [x, writer.graph.wholeNumbers(sizes), writer.graph.wholeNumber(axis)];
  const attributes = { num_split: attribute.whole(sizes.length), Tlen: attribute.type('int32') };
  const first = writer.add('SplitV', inputs, outputShape(kernel), attributes);
  return kernel.outputs.map(({ shape }, index) => outputOf(first, index, shape));
}

function slice(kernel: TracedKernel, writer: KernelWriter): Value {
  const places = ['begin', 'size'].map((name) => writer.graph.wholeNumbers(numbersOf(kernel, name)));
  const attributes = { Index: attribute.type('int32') };
  return writer.add('Slice', [writer.input(kernel, 'x'), ...places], outputShape(kernel), attributes);
}

function paddingsOf(kernel: TracedKernel, writer: KernelWriter): Value {
  const paddings = (kernel.attributes['paddings'] as number[][]).flat();
  return writer.graph.constant({
    dtype: 'int32',
    shape: [paddings.length / 2, 2],
    values: Int32Array.from(paddings),
  });
}

const PADDINGS: Attributes = { Tpaddings: attribute.type('int32') };

function padded(kernel: TracedKernel, writer: KernelWriter): Value {
  const inputs = [writer.input(kernel, 'x'), paddingsOf(kernel, writer)];
  const value = numberOf(kernel, 'constantValue');
  // TensorFlow joins padding with zeros with a convolution.
  if (value === 0) return writer.add('Pad', inputs, outputShape(kernel), PADDINGS);
  const constant = writer.graph.constant({ dtype: 'float32', shape: [], values: Float32Array.of(value) });
  return writer.add('PadV2', [...inputs, constant], outputShape(kernel), PADDINGS);
}

function mirrored(kernel: TracedKernel, writer: KernelWriter): Value {
  const mode = String(kernel.attributes['mode']).toUpperCase();
  if (mode !== 'REFLECT' && mode !== 'SYMMETRIC') throw new ConversionError(`MirrorPad with the mode ${mode}`);
  const inputs = [writer.input(kernel, 'x'), paddingsOf(kernel, writer)];
  return writer.add('MirrorPad', inputs, outputShape(kernel), { ...PADDINGS, mode: attribute.text(mode) });
}

function gathered(kernel: TracedKernel, writer: KernelWriter): Value {
  const x = writer.input(kernel, 'x');
  const inputs = [x, writer.input(kernel, 'indices'), writer.graph.wholeNumber(numberOf(kernel, 'axis'))];
  const attributes = {
    Tparams: attribute.type(x.dtype),
    Tindices: attribute.type('int32'),
    Taxis: attribute.type('int32'),
    batch_dims: attribute.whole(numberOf(kernel, 'batchDims')),
  };
  return writer.graph.add('GatherV2', inputs, attributes, { dtype: x.dtype, shape: outputShape(kernel) });
}

/** The outputs are always floats. */
function resized(operation: string): WriteKernel {
  return (kernel, writer) => {
    const inputs = [writer.input(kernel, 'images'), writer.graph.wholeNumbers(pairOf(kernel, 'size'))];
    return [
      writer.add(operation, inputs, outputShape(kernel), {
        align_corners: attribute.flag(kernel.attributes['alignCorners'] === true),
        half_pixel_centers: attribute.flag(kernel.attributes['halfPixelCenters'] === true),
      }),
    ];
  };
}
