import type { ImageFailure } from '../../contract/error-codes.ts';
import { NEVER_ABORTED } from '../../runtime/deadline.ts';
import { PutOff } from '../put-off.ts';
import { ApartQueue } from './apart-queue.ts';
import { decoderMemory } from './decoder-memory.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

/** Where a picture is decoded. */
export type DecodeOptions = {
  /** Where expensive pictures go. */
  apart: Pick<ApartQueue, 'decode'>;
  /** Gives up where the decode has not begun or can be broken off; the promise then rejects with its reason. */
  signal: AbortSignal;
};

const patient = new ApartQueue({ most: Number.POSITIVE_INFINITY });

/** Decodes a picture when its turn comes, however many come before it. For callers that have few. */
export async function decodePatiently(
  picture: Inspected,
  format: PictureFormat,
  signal: AbortSignal = NEVER_ABORTED,
): Promise<Decoded | ImageFailure> {
  const decoded = await decodePicture(picture, format, { apart: patient, signal });
  if (decoded instanceof PutOff) throw new Error('a queue of any length puts nothing off');
  return decoded;
}

/** Decodes a picture when its turn comes: apart from this process where that may take long. */
export async function decodePicture(
  picture: Inspected,
  format: PictureFormat,
  { apart, signal }: DecodeOptions,
): Promise<Decoded | ImageFailure | PutOff> {
  if (picture.expensive) return apart.decode(picture, format, signal);
  return decoderMemory.whileHere(picture, signal, () => decodeWithSharp(picture, format));
}
