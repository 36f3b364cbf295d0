import type { TfjsModel } from '../../../shared/classifier/model/tensorflow/tfjs-model.ts';
import type { BatchShape, PixelValues } from '../../../shared/classifier/model/tensorflow/tfjs-node.ts';
import { tensorOf, tf } from '../../../shared/classifier/model/tensorflow/tfjs-node.ts';
import type { DataType } from './graph-attributes.ts';
import type { Constant } from './graph-writer.ts';
import { ConversionError, type Trace, type TracedKernel, type TracedTensor } from './trace.ts';

type Inputs = Record<string, tf.Tensor | null | undefined>;
type RunKernel = (kernel: string, inputs: Inputs, attributes?: Record<string, unknown>) => tf.Tensor | tf.Tensor[];

/**
 * Runs a model on a batch and records each computation that depends on it. TensorFlow.js runs both of its formats by
 * the same hundred or so kernels, whatever layers or operations a file names.
 *
 * @param output its index among the model's outputs
 * @throws {ConversionError} for tensors of a type that a SavedModel cannot hold
 */
export function traceModel(model: TfjsModel, values: PixelValues, shape: BatchShape, output: number): Trace {
  const engine = tf.engine();
  engine.startScope();
  try {
    const input = tensorOf(values, shape);
    const recorder = new Recorder(input);
    const scores = recorder.during(() => model.execute(input, output));
    return { input: factsOf(input), output: factsOf(scores), kernels: recorder.kernels, constants: recorder.constants };
  } finally {
    engine.endScope();
  }
}

class Recorder {
  readonly kernels: TracedKernel[] = [];
  readonly constants = new Map<number, Constant>();
  /** The tensors that depend on the input. */
  readonly #dependent: Set<number>;
  /** Nesting of kernels: only the outermost is recorded. */
  #depth = 0;

  constructor(input: tf.Tensor) {
    this.#dependent = new Set([input.id]);
  }

  during<Result>(run: () => Result): Result {
    const engine = tf.engine() as unknown as { runKernel?: RunKernel };
    const original = (engine.runKernel as RunKernel).bind(engine);
    engine.runKernel = (kernel, inputs, attributes = {}) => this.#run(original, [kernel, inputs, attributes]);
    try {
      return run();
    } finally {
      // The method of its class shows again.
      delete engine.runKernel;
    }
  }

  #run(original: RunKernel, [kernel, inputs, attributes]: Required<Parameters<RunKernel>>): tf.Tensor | tf.Tensor[] {
    this.#depth++;
    try {
      const result = original(kernel, inputs, attributes);
      if (this.#depth === 1) this.#note({ kernel, inputs, attributes }, [result].flat());
      return result;
    } finally {
      this.#depth--;
    }
  }

  #note(
    { kernel, inputs, attributes }: { kernel: string; inputs: Inputs; attributes: Record<string, unknown> },
    outputs: readonly tf.Tensor[],
  ): void {
    const given = Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []));
    if (!given.some(([, { id }]) => this.#dependent.has(id))) return;
    for (const [, tensor] of given) if (!this.#dependent.has(tensor.id)) this.#keep(tensor);
    for (const { id } of outputs) this.#dependent.add(id);
    this.kernels.push({
      kernel,
      inputs: new Map(given.map(([name, tensor]) => [name, factsOf(tensor)])),
      attributes: { ...attributes },
      outputs: outputs.map(factsOf),
    });
  }

  #keep(tensor: tf.Tensor): void {
    if (this.constants.has(tensor.id)) return;
    const dtype = dataTypeOf(tensor);
    this.constants.set(tensor.id, { dtype, shape: [...tensor.shape], values: tensor.dataSync() as Constant['values'] });
  }
}

function factsOf({ id, shape, dtype }: tf.Tensor): TracedTensor {
  return { id, shape: [...shape], dtype };
}

function dataTypeOf({ dtype }: tf.Tensor): DataType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new ConversionError(`the model has constants of ${dtype}, which a SavedModel cannot hold`);
}
