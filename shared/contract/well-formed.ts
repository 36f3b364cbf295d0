import type { ImageRef } from './image-ref.ts';

/**
 * An image without lone surrogates, which JSON can escape but DuckDB, Athena and pandas refuse to read: a single one makes the
 * whole file unreadable. They are replaced by their escape, e.g. the six characters `\ud83d`, so that nothing is lost and
 * different texts stay different.
 */
export function wellFormedImage(image: ImageRef): ImageRef {
  const { id, url, meta } = image;
  if (id.isWellFormed() && url.isWellFormed() && (meta === undefined || isWellFormed(meta))) return image;
  return {
    id: wellFormedText(id),
    url: wellFormedText(url),
    ...(meta !== undefined && { meta: wellFormedJson(meta) }),
  };
}

/** A text with each lone surrogate replaced by its escape. */
export function wellFormedText(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replaceAll(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** `meta` has at most 32 levels. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}

function wellFormedJson<Json>(value: Json): Json {
  if (typeof value === 'string') return wellFormedText(value) as Json;
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map(wellFormedJson) as Json;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [wellFormedText(key), wellFormedJson(inner)]),
  ) as Json;
}
