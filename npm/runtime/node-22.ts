/**
 * Ponyfills for globals that Node 22 lacks. esbuild replaces the globals in the bundle by these; the globals themselves stay
 * unchanged for the rest of the process.
 */

/** Replaces `Error.isError`. */
export const isError: (value: unknown) => value is Error =
  Error.isError ??
  ((value): value is Error => Object.prototype.toString.call(value) === '[object Error]' || value instanceof Error);

/** Replaces `RegExp.escape`: escapes every character except ASCII letters, digits and underscores by its code. */
export const escapeRegExp: (text: string) => string =
  RegExp.escape ??
  ((text) =>
    text.replace(
      /[^A-Za-z0-9_]|^[A-Za-z0-9]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ));

/** Replaces `Float16Array` for reading; commands that write embeddings run on Node 24. */
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
