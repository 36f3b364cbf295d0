import { hash } from 'node:crypto';
import { z } from 'zod';
import { MAX_ID_CHARS, MAX_META_DEPTH, MAX_URL_CHARS } from './limits.ts';

const urlSchema = z.string().min(1).max(MAX_URL_CHARS, `expected at most ${MAX_URL_CHARS} characters`);
const metaSchema = z
  .custom((meta) => !isDeeperThan(MAX_META_DEPTH, meta), `expected at most ${MAX_META_DEPTH} levels of nesting`)
  .meta({ type: 'object', description: `JSON that comes back in the result line; at most ${MAX_META_DEPTH} levels` })
  .pipe(z.custom<Meta>(isJsonObject, 'expected an object'));

/** JSON; numbers whose digits JavaScript would not keep are `JSON.rawJSON` objects, see `parseExactJson`. */
type Meta = { [key: string]: JsonValue };

/** A JSON value. Not zod's own type: programs that use `ImageRef` need no zod. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** The value was parsed from JSON, so only its type is checked: a copy would lose the exact numbers. */
function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/** An image in a message. */
export const imageRefSchema = z.strictObject({
  id: z.string().min(1).max(MAX_ID_CHARS),
  url: urlSchema,
  meta: metaSchema.optional(),
});

/** An image to classify. `id` is unique within its job. */
export type ImageRef = { id: string; url: string; meta?: Meta };

/** An image without other fields; `meta` is absent rather than undefined. */
export function toImageRef({
  id,
  url,
  meta,
}: {
  id: string;
  url: string;
  meta?: ImageRef['meta'] | undefined;
}): ImageRef {
  return meta === undefined ? { id, url } : { id, url, meta };
}

/** 64 bits in hexadecimal. */
const META_DIGITS = 16;

/** A deterministic id for an image without one whose URL also occurs with other meta. */
export function idWithMeta({ url, meta }: Pick<ImageRef, 'url' | 'meta'>): string {
  return `${url}#${hash('sha256', JSON.stringify(meta ?? null)).slice(0, META_DIGITS)}`;
}
