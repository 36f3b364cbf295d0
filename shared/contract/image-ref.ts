import { z } from 'zod';
import { MAX_ID_CHARS, MAX_META_DEPTH, MAX_URL_CHARS } from './limits.ts';

const urlSchema = z.string().min(1).max(MAX_URL_CHARS, `expected at most ${MAX_URL_CHARS} characters`);
const metaSchema = z
  .custom((meta) => !isDeeperThan(MAX_META_DEPTH, meta), `expected at most ${MAX_META_DEPTH} levels of nesting`)
  .meta({ type: 'object', description: `JSON that comes back in the result line; at most ${MAX_META_DEPTH} levels` })
  .pipe(z.record(z.string(), z.json()));

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/** An image as producers name it. */
export const imageRefSchema = z.strictObject({
  id: z.string().min(1).max(MAX_ID_CHARS),
  url: urlSchema,
  meta: metaSchema.optional(),
});

/** An image to classify. `id` is unique within its job. */
export type ImageRef = { id: string; url: string; meta?: z.infer<typeof metaSchema> };
