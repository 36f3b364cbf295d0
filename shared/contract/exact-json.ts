/** JSON parsing that keeps the digits of numbers as they were written. */

type Source = { source?: string };

/**
 * Python refuses to parse integers of more than 4,300 digits, and so the whole file. Longer numbers than this become text.
 */
const MAX_NUMBER_CHARS = 1_000;

declare global {
  /** ECMAScript's JSON.parse source text access, which TypeScript's library does not list yet. */
  interface JSON {
    parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: Source) => unknown): unknown;
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/**
 * Numbers that JavaScript may write differently: 16 or more digits, an exponent, a trailing 0 after the point, -0 or many zeros
 * after the point. A false match costs time, a missed one costs digits.
 */
const AT_RISK = /[:[,\s]-?(?:\d[\d.]{15}|\d[\d.]*[eE]|\d+\.\d*0(?!\d)|\d\.0{6}|(?<=-)0(?![.\d]))/;

/**
 * Parses JSON. Numbers under a key `meta` keep their digits: where a JavaScript number would not, they become `JSON.rawJSON`
 * objects, which `JSON.stringify` writes unchanged.
 *
 * @example JSON.stringify(parseExactJson('{"meta":{"id":1234567890123456789}}')) // '{"meta":{"id":1234567890123456789}}'
 * @throws {SyntaxError}
 */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!text.includes('"meta"') || !AT_RISK.test(text)) return value;
  try {
    return withExactMeta(value, JSON.parse(text, keepDigits));
  } catch (error) {
    // Unlike the parser itself, a reviver recurses. Such deep nesting is rejected later.
    if (error instanceof RangeError) return value;
    throw error;
  }
}

/** As {@link parseExactJson}; undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function keepDigits(this: unknown, _key: string, value: unknown, { source }: Source): unknown {
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return source.length > MAX_NUMBER_CHARS ? source : JSON.rawJSON(source);
}

/** Everything except `meta` has a schema, which expects JavaScript numbers. */
function withExactMeta(value: unknown, exact: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const [fields, exactFields] = [value as Record<string, unknown>, exact as Record<string, unknown>];
  for (const key of Object.keys(fields)) {
    fields[key] = key === 'meta' ? exactFields[key] : withExactMeta(fields[key], exactFields[key]);
  }
  return value;
}
