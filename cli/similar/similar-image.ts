import type { EmbeddedLine } from '../embeddings/embedded-lines.ts';

/** What is printed of an image that was found. */
export type SimilarImage = { id: string; url: string; label: string | null; sha256: string | null };

const MAX_LABEL_CHARS = 200;

/** Made from an untrusted line. */
export function similarImage({ id, url, labels, image }: EmbeddedLine): SimilarImage {
  const label: unknown = Array.isArray(labels) ? labels[0]?.label : undefined;
  const sha256: unknown = typeof image === 'object' && image !== null ? image.sha256 : undefined;
  return { id, url, label: shortText(label, MAX_LABEL_CHARS), sha256: shortText(sha256, SHA256_CHARS) };
}

const SHA256_CHARS = 64;

function shortText(value: unknown, maxChars: number): string | null {
  return typeof value === 'string' && value.length <= maxChars ? value : null;
}
