import type { ResizeOptions, Sharp } from 'sharp';
import type { PictureFormat, Size } from './picture.ts';

/** From twice the size on, the JPEG and WebP loaders can shrink while they load. */
const SHRINKABLE = 2;

/**
 * Makes a picture the model's square: upright, the middle of it.
 *
 * @param upright size of the picture once it is turned by its EXIF orientation
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
 * For images too small to gain from shrinking: the crop falls on whole pixels of the original, which
 * keeps the scores nearest to those of the reference preprocessing.
 */
function cropThenResize(image: Sharp, { width, height }: Size, format: PictureFormat): Sharp {
  // A window of less than a pixel may round to none.
  const side = Math.max(1, Math.min(width, height) * format.crop);
  const [left, right] = centred(width, side);
  const [top, bottom] = centred(height, side);
  return image
    .autoOrient()
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(format.inputSize, format.inputSize, resizeOptions(format));
}

/** Where a window of `side` in the middle of `length` starts and ends, in whole pixels. */
function centred(length: number, side: number): [start: number, end: number] {
  return [Math.round((length - side) / 2), Math.round((length + side) / 2)];
}

/**
 * For large images. sharp lets the loader shrink only when neither a crop nor a rotation comes before
 * the resize; libvips evaluates on demand, so what is cropped afterwards was never computed. Margins
 * of the same width on both sides keep the window in the middle, whatever the orientation is.
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
