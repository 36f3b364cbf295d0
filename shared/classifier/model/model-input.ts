import type { ClassifierConfig } from './classifier-config.ts';
import { ModelFolderError } from './model-folder-error.ts';
import type { TensorFacts } from './tensorflow/loaded-model.ts';
import type { PixelValues } from './tensorflow/tfjs-node.ts';

/** The input of a model. */
export type ModelInput = {
  dtype: 'uint8' | 'int32' | 'float32';
  /** Fixed batch size; undefined when the model takes any number of images. */
  fixedBatch: 1 | undefined;
};

/**
 * Checks the inputs of a model against the configuration of its folder.
 *
 * @param path of the folder, for messages
 * @throws {ModelFolderError} when it is not one batch of RGB squares of the configured size, or when integer
 *   pixels would have to be normalized
 */
export function checkInput(inputs: readonly TensorFacts[], config: ClassifierConfig, path: string): ModelInput {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new ModelFolderError(
      `${path}: expected a model with one input, got ${inputs.length}: ${inputs.map(({ name }) => name).join(', ')}`,
    );
  }
  const dtype = checkDtype(input, config, path);
  return { dtype, fixedBatch: input.shape === undefined ? undefined : checkShape(input, input.shape, config, path) };
}

function checkDtype({ name, dtype }: TensorFacts, { mean, std }: ClassifierConfig, path: string): ModelInput['dtype'] {
  if (dtype === 'float32') return dtype;
  if (dtype !== 'uint8' && dtype !== 'int32') {
    throw new ModelFolderError(`${path}: expected an input of uint8, int32 or float32, got ${dtype} at ${name}`);
  }
  if (mean === undefined && std === undefined) return dtype;
  throw new ModelFolderError(
    `${path}: expected no range, mean or std in classifier.json for a model that takes ${dtype}, which normalizes itself`,
  );
}

const CHANNELS = 3;

function checkShape(
  { name }: TensorFacts,
  shape: readonly (number | undefined)[],
  { inputSize }: ClassifierConfig,
  path: string,
): ModelInput['fixedBatch'] {
  const text = shapeText(shape);
  const [batch, height, width, channels] = shape;
  if (shape.length === 4 && height === CHANNELS && channels !== CHANNELS) {
    throw new ModelFolderError(
      `${path}: expected the input ${name} as [batch, height, width, channels], got channels first: ${text}. ` +
        'Export the model with its channels last, or with a transpose as its first layer',
    );
  }
  if (shape.length !== 4 || (channels !== undefined && channels !== CHANNELS)) {
    throw new ModelFolderError(
      `${path}: expected the input ${name} as [batch, height, width, ${CHANNELS}], got ${text}`,
    );
  }
  for (const side of [height, width]) {
    if (side === undefined || side === inputSize) continue;
    throw new ModelFolderError(
      `${path}: expected the input ${name} to have the inputSize of classifier.json, ${inputSize}, got ${text}`,
    );
  }
  if (batch === undefined || batch === 1) return batch;
  throw new ModelFolderError(
    `${path}: expected a batch of any size or of 1 at the input ${name}, got ${text}: export the model with a free batch dimension`,
  );
}

/** @returns e.g. `[?, 224, 224, 3]` */
export function shapeText(shape: readonly (number | undefined)[] | undefined): string {
  return shape === undefined ? '[…]' : `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

/** How pixel values become inputs. */
export type Normalization = Pick<ClassifierConfig, 'mean' | 'std'>;

/**
 * Joins the images of a batch, in memory that the next batch reuses: otherwise each would add garbage outside V8's heap, which
 * makes it collect all of its heap more often.
 */
export class BatchMemory {
  #bytes = new Uint8Array(0);

  /** @returns bytes that are valid until the next call; TensorFlow may use them without a copy until it has run the batch */
  joined(images: readonly Uint8Array[]): Uint8Array {
    if (images.length === 1 && images[0] !== undefined) return images[0];
    const length = images.reduce((sum, image) => sum + image.length, 0);
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    let at = 0;
    for (const image of images) {
      this.#bytes.set(image, at);
      at += image.length;
    }
    return this.#bytes.subarray(0, length);
  }
}

/**
 * Pixels as inputs of the model. A model with integer inputs normalizes in its graph, and gets the bytes unchanged; one with
 * float32 inputs gets (x - mean) / std per channel.
 *
 * @param bytes RGB, image by image
 */
export function pixelValues(bytes: Uint8Array, dtype: ModelInput['dtype'], { mean, std }: Normalization): PixelValues {
  if (dtype === 'uint8') return bytes;
  return dtype === 'int32' ? Int32Array.from(bytes) : normalized(bytes, mean, std);
}

function normalized(
  bytes: Uint8Array,
  [meanR, meanG, meanB]: readonly [number, number, number] = [0, 0, 0],
  [stdR, stdG, stdB]: readonly [number, number, number] = [1, 1, 1],
): Float32Array {
  const values = Float32Array.from(bytes);
  for (let at = 0; at < values.length; at += CHANNELS) {
    values[at] = ((values[at] as number) - meanR) / stdR;
    values[at + 1] = ((values[at + 1] as number) - meanG) / stdG;
    values[at + 2] = ((values[at + 2] as number) - meanB) / stdB;
  }
  return values;
}
