import { MAX_EMBEDDING_VALUES } from './limits.ts';

/** The features of an image: the input of a model's last layer. */
export type Embedding = {
  /** The numbers as float16, little-endian, in base64. */
  embedding: string;
  /** The trunk (the model without its last layer) that computed it, see `TRUNK`: embeddings of different trunks cannot be compared. */
  trunk: string;
};

/** The name of a trunk in a line: the first digits of a SHA-256 (`trunkOf` computes it). */
export const TRUNK = /^[0-9a-f]{16}$/;

/** The largest finite float16. */
const LARGEST = 65_504;
const BYTES_PER_VALUE = 2;
/** The exponent bits of a float16: all set only in infinities and NaN. */
const EXPONENT = 0x7c00;
const HALVES = 65_536;

/**
 * Encodes values for a line. Values beyond the range of float16 become its largest number.
 *
 * @param values finite, at most `MAX_EMBEDDING_VALUES`
 */
export function encodeEmbedding(values: Float32Array): string {
  const halves = new Float16Array(values);
  if (!halves.every(Number.isFinite)) halves.set(values.map((value) => Math.max(-LARGEST, Math.min(LARGEST, value))));
  return Buffer.from(halves.buffer).toString('base64');
}

/**
 * Decodes the values of a line, which may be untrusted.
 *
 * @returns undefined for a text that is not base64 of 1 to `MAX_EMBEDDING_VALUES` finite float16
 */
export function decodeEmbedding(text: unknown): Float32Array | undefined {
  const length = embeddingLength(text);
  if (length === undefined) return undefined;
  const values = new Float32Array(length);
  return decodeEmbeddingInto(text as string, values, 0) ? values : undefined;
}

/** The number of values by the length of a text; undefined when it is certainly not an embedding. */
export function embeddingLength(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length % 4 !== 0 || text.length > MAX_EMBEDDING_CHARS) return undefined;
  const bytes = byteLength(text);
  return bytes > 0 && bytes % BYTES_PER_VALUE === 0 ? bytes / BYTES_PER_VALUE : undefined;
}

/** The number of bytes that a base64 text encodes. */
function byteLength(text: string): number {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  return (text.length / 4) * 3 - padding;
}

/** The base64 length of `MAX_EMBEDDING_VALUES`. */
const MAX_EMBEDDING_CHARS = Math.ceil((MAX_EMBEDDING_VALUES * BYTES_PER_VALUE) / 3) * 4;

/**
 * As `decodeEmbedding`, into a part of a larger array.
 *
 * @param text of which `embeddingLength` gave a length
 * @returns false when it is not an embedding; `into` then holds anything
 */
export function decodeEmbeddingInto(text: string, into: Float32Array, at: number): boolean {
  const bytes = Buffer.from(text, 'base64');
  // `Buffer.from` skips invalid characters and accepts base64url, which other readers do not.
  if (bytes.length !== byteLength(text) || text.includes('-') || text.includes('_')) return false;
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / BYTES_PER_VALUE);
  const numbers = numbersByHalf();
  let allFinite = true;
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index] as number;
    if ((half & EXPONENT) === EXPONENT) allFinite = false;
    into[at + index] = numbers[half] as number;
  }
  return allFinite;
}

let table: Float32Array | undefined;

/** The number for each float16. A look-up takes a third of the time of a conversion. */
function numbersByHalf(): Float32Array {
  table ??= new Float32Array(new Float16Array(Uint16Array.from({ length: HALVES }, (_, half) => half).buffer));
  return table;
}
