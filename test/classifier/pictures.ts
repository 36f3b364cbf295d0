import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { type DecodedImage, decodeImage, type PictureFormat } from '../../shared/classifier/decode/decode-image.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';

/** As the default model wants them. */
export const FORMAT: PictureFormat = { inputSize: 224, crop: 0.875, interpolation: 'cubic' };

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

export function readPhoto(name: string): Promise<Buffer> {
  return readFile(join(PHOTOS, name));
}

/** Decodes what must be decodable. */
export async function decoded(bytes: Buffer, format: PictureFormat = FORMAT): Promise<DecodedImage> {
  const image = await decodeImage(bytes, format);
  if (image instanceof ImageFailure) throw new Error(`expected to decode, got ${image.code}: ${image.message}`);
  return image;
}

/** Fails with a code to compare, rather than with an exception. */
export async function decodeCode(bytes: Buffer): Promise<string> {
  const image = await decodeImage(bytes, FORMAT);
  return image instanceof ImageFailure ? image.code : 'ok';
}

/** How much two pictures differ: mean over all values, each 0 to 255. */
export function difference(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) throw new Error(`expected as many values, got ${one.length} and ${other.length}`);
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += Math.abs((one[at] as number) - (other[at] as number));
  return sum / one.length;
}

/** The RGB values in the middle of a picture. */
export function centre({ pixels }: DecodedImage): number[] {
  const at = ((FORMAT.inputSize / 2) * FORMAT.inputSize + FORMAT.inputSize / 2) * 3;
  return [...pixels.subarray(at, at + 3)];
}

/** A grey 8-bit PNG, written by hand: its header may say what its data does not hold. */
export function greyPng(width: number, height: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return chunk;
}

/** A copy of a JPEG whose header claims another size. */
export function lyingJpeg(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
  copy.writeUInt16BE(height, frame + 5);
  copy.writeUInt16BE(width, frame + 7);
  return copy;
}
