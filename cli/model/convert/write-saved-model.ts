import { ELEMENTWISE_KERNELS } from './elementwise-kernels.ts';
import { withFoldedBatchNorms } from './fold-batch-norm.ts';
import { attribute } from './graph-attributes.ts';
import { dataType, KernelWriter, type WriteKernel } from './kernel-writer.ts';
import { SHAPE_KERNELS } from './shape-kernels.ts';
import { withoutCopies } from './simplify-trace.ts';
import { ConversionError, type Trace } from './trace.ts';
import { WINDOW_KERNELS } from './window-kernels.ts';

const KERNELS: ReadonlyMap<string, WriteKernel> = new Map([
  ...ELEMENTWISE_KERNELS,
  ...WINDOW_KERNELS,
  ...SHAPE_KERNELS,
]);

/** The names of a SavedModel's signature, input and output. */
export type Signature = { name: string; input: string; output: string };

/**
 * A SavedModel without variables that computes a trace.
 *
 * @returns the bytes of `saved_model.pb`
 * @throws {ConversionError} naming what has no counterpart in TensorFlow
 */
export function savedModelOf(trace: Trace, signature: Signature): Buffer {
  const { input, kernels, constants, output } = withFoldedBatchNorms(withoutCopies(trace));
  checkKnown(kernels.map(({ kernel }) => kernel));
  const writer = new KernelWriter(constants);
  const like = { dtype: dataType(input.dtype), shape: input.shape };
  const attributes = { dtype: attribute.type(like.dtype), shape: attribute.shape(like.shape) };
  const images = writer.graph.add('Placeholder', [], attributes, like);
  writer.set(input, images);
  for (const kernel of kernels) {
    const values = (KERNELS.get(kernel.kernel) as WriteKernel)(kernel, writer);
    for (const [index, tensor] of kernel.outputs.entries()) {
      const value = values[index];
      if (value !== undefined) writer.set(tensor, value);
    }
  }
  const scores = writer.valueOf(output);
  const given = writer.add('Identity', [scores], scores.shape);
  return writer.graph.savedModel(signature.name, [signature.input, images], [signature.output, given]);
}

/** Reports all of them in one error, so that one conversion finds them all. */
function checkKnown(kernels: readonly string[]): void {
  const unknown = new Set(kernels.filter((kernel) => !KERNELS.has(kernel)));
  if (unknown.size === 0) return;
  throw new ConversionError(`it computes ${[...unknown].sort().join(', ')}, which this program cannot write`);
}
