import type { Trace, TracedKernel, TracedTensor } from './trace.ts';

/** Kernels that may return their input unchanged. */
const MAY_CHANGE_NOTHING: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Slice', 'Tile', 'Transpose']);

/** A trace without no-ops: copies, and slices of a whole tensor. */
export function withoutCopies(trace: Trace): Trace {
  const originals = new Map<number, TracedTensor>();
  const original = (tensor: TracedTensor) => originals.get(tensor.id) ?? tensor;
  const kernels: TracedKernel[] = [];
  for (const kernel of trace.kernels) {
    const inputs = new Map([...kernel.inputs].map(([name, tensor]) => [name, original(tensor)]));
    const [input] = inputs.values();
    const [output] = kernel.outputs;
    if (input !== undefined && output !== undefined && changesNothing(kernel, input, output)) {
      originals.set(output.id, input);
    } else kernels.push({ ...kernel, inputs });
  }
  return { ...trace, kernels, output: original(trace.output) };
}

function changesNothing({ kernel, attributes }: TracedKernel, input: TracedTensor, output: TracedTensor): boolean {
  if (!MAY_CHANGE_NOTHING.has(kernel) || input.dtype !== output.dtype) return false;
  if (JSON.stringify(input.shape) !== JSON.stringify(output.shape)) return false;
  if (kernel !== 'Transpose') return true;
  return (attributes['perm'] as number[]).every((axis, index) => axis === index);
}
