import type { ResizeOptions, Sharp } from 'sharp';
import type { PictureFormat, Size } from './picture.ts';

/** From twice the size on, the JPEG and WebP loaders can shrink on load. */
const SHRINKABLE = 2;

/**
 * Crops and resizes a picture to the model's square: the centre, after applying its orientation.
 *
 * @param upright size of the picture after applying its EXIF orientation
 */
export function toSquare(image: Sharp, upright: Size, format: PictureFormat): Sharp {
  const kept = Math.min(upright.width, upright.height) * format.crop;
  return kept >= SHRINKABLE * format.inputSize
    ? resizeThenCrop(image, upright, format)
    : cropThenResize(image, upright, format);
}

function resizeOptions({ interpolation }: PictureFormat): ResizeOptions {
  return { fit: 'fill', kernel: interpolation };
}

/**
 * For images too small to shrink on load: the crop falls on whole pixels of the original, which keeps the scores closest to those
 * of the reference preprocessing.
 */
function cropThenResize(image: Sharp, { width, height }: Size, format: PictureFormat): Sharp {
  // A window of less than a pixel may round to 0.
  const side = Math.max(1, Math.min(width, height) * format.crop);
  const [left, right] = centred(width, side);
  const [top, bottom] = centred(height, side);
  return image
    .autoOrient()
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(format.inputSize, format.inputSize, resizeOptions(format));
}

/** The start and end of a centred window of `side` within `length`, in whole pixels. */
function centred(length: number, side: number): [start: number, end: number] {
  return [Math.round((length - side) / 2), Math.round((length + side) / 2)];
}

/**
 * For large images. sharp shrinks on load only when neither a crop nor a rotation precedes the resize; libvips evaluates lazily,
 * so what is cropped afterwards is never computed. Equal margins on both sides keep the window centred in any orientation.
 */
function resizeThenCrop(image: Sharp, { width, height }: Size, format: PictureFormat): Sharp {
  const { inputSize, crop } = format;
  const scale = inputSize / crop / Math.min(width, height);
  const left = Math.round((width * scale - inputSize) / 2);
  const top = Math.round((height * scale - inputSize) / 2);
  return image
    .resize(inputSize + 2 * left, inputSize + 2 * top, resizeOptions(format))
    .extract({ left, top, width: inputSize, height: inputSize })
    .autoOrient();
}
