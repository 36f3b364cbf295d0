import type { ErrorCode } from '../shared/contract/error-codes.ts';

/** What to do about images that failed, where a person can do it and would not find it by the code. */
const HINTS = new Map<string, string>([
  ['address_not_allowed', 'to fetch from a server of your own network, --allow-host HOST:PORT'],
  ['bucket_not_allowed', 'to read s3:// URLs, name the buckets in SOURCE_BUCKETS'],
] satisfies [ErrorCode, string][]);

/** A line per code that there is a hint for. */
export function failureHints(codes: Iterable<string>): string {
  return [...new Set(codes)].flatMap((code) => (HINTS.has(code) ? `${code}: ${HINTS.get(code)}\n` : [])).join('');
}
