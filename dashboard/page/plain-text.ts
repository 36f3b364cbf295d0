/**
 * A text of strangers without control characters and marks of direction, which let it overwrite its neighbours. It is text
 * for text nodes and attributes, never markup.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

/** Of an id or URL: its end tells images apart. */
export function lastPart(text: string): string {
  return /^[a-z0-9]+:\/\//i.test(text) ? text.slice(text.lastIndexOf('/') + 1) || text : text;
}
