/**
 * What Node 22 lacks of what the sources use: esbuild puts these in the places of the globals, which stay as they are
 * for everything else in the process.
 */

/** In place of `Error.isError`. */
export const isError: (value: unknown) => value is Error =
  Error.isError ??
  ((value): value is Error => Object.prototype.toString.call(value) === '[object Error]' || value instanceof Error);

/** In place of `RegExp.escape`. Every character but plain letters and digits may be escaped by its number. */
export const escapeRegExp: (text: string) => string =
  RegExp.escape ??
  ((text) =>
    text.replace(
      /[^A-Za-z0-9_]|^[A-Za-z0-9]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ));

/** In place of `Float16Array`, for reading the bytes of one; commands that write embeddings run on Node 24. */
export const HalfFloats: new (buffer: ArrayBuffer) => Iterable<number> =
  globalThis.Float16Array ??
  class extends Float32Array {
    constructor(buffer: ArrayBuffer) {
      super(Float32Array.from(new Uint16Array(buffer), numberOfHalf));
    }
  };

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. */
function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
