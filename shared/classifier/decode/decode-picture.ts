import type { ImageFailure } from '../../contract/error-codes.ts';
import { NEVER_ABORTED } from '../../runtime/deadline.ts';
import { PutOff } from '../put-off.ts';
import { ApartQueue } from './apart-queue.ts';
import { decoderMemory } from './decoder-memory.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

/** Where a picture is decoded. */
export type DecodeOptions = {
  /** The queue of expensive pictures. */
  apart: Pick<ApartQueue, 'decode'>;
  /** Aborts a decode that has not started or can be interrupted; the promise then rejects with its reason. */
  signal: AbortSignal;
};

const patient = new ApartQueue({ most: Number.POSITIVE_INFINITY });

/** Decodes a picture when its turn comes, however many are before it. For callers with few pictures. */
export async function decodePatiently(
  picture: Inspected,
  format: PictureFormat,
  signal: AbortSignal = NEVER_ABORTED,
): Promise<Decoded | ImageFailure> {
  const decoded = await decodePicture(picture, format, { apart: patient, signal });
  if (decoded instanceof PutOff) throw new Error('an unbounded queue puts nothing off');
  return decoded;
}

/** Decodes a picture when its turn comes: in an isolated process if it may take long. */
export async function decodePicture(
  picture: Inspected,
  format: PictureFormat,
  { apart, signal }: DecodeOptions,
): Promise<Decoded | ImageFailure | PutOff> {
  if (picture.expensive) return apart.decode(picture, format, signal);
  return decoderMemory.whileHere(picture, signal, () => decodeWithSharp(picture, format));
}
