import type { PictureFormat } from '../../shared/classifier/decode/decode-image.ts';
import type { Random } from './random.ts';

const CHANNELS = 3;

/**
 * The format in which a photo is decoded to take views of it: all of the square that the model sees the middle of, at the same
 * scale, so that a view differs by its place alone.
 */
export function wideFormat({ inputSize, crop, interpolation }: PictureFormat): PictureFormat {
  return { inputSize: Math.max(inputSize, Math.round(inputSize / crop)), crop: 1, interpolation };
}

/**
 * An augmented view: a square at a random place, randomly mirrored.
 *
 * @param pixels RGB, `wide` x `wide`
 * @returns RGB, `side` x `side`
 */
export function viewOf(pixels: Uint8Array, wide: number, side: number, random: Random): Uint8Array {
  const room = wide - side + 1;
  const [top, left] = [random.below(room), random.below(room)];
  const mirrored = random.below(2) === 1;
  const view = new Uint8Array(side * side * CHANNELS);
  for (let row = 0; row < side; row++) {
    const from = ((top + row) * wide + left) * CHANNELS;
    const line = pixels.subarray(from, from + side * CHANNELS);
    view.set(mirrored ? mirroredLine(line) : line, row * side * CHANNELS);
  }
  return view;
}

function mirroredLine(line: Uint8Array): Uint8Array {
  const mirrored = new Uint8Array(line.length);
  for (let at = 0; at < line.length; at += CHANNELS) {
    mirrored.set(line.subarray(at, at + CHANNELS), line.length - CHANNELS - at);
  }
  return mirrored;
}
