import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { quoted } from './shell-text.ts';

/** What users can do about failed images where the error code alone does not say it. */
const HINTS = new Map<string, string>([
  ['address_not_allowed', 'to fetch from a server on your own network, use --allow-host HOST:PORT'],
  ['bucket_not_allowed', 'to read s3:// URLs, list the buckets in SOURCE_BUCKETS'],
] satisfies [ErrorCode, string][]);

/** Hosts in a hint; the next run names the rest. */
const MAX_HOSTS = 3;

/** One line per code that has a hint. */
export function failureHints(codes: Iterable<string>): string {
  return [...new Set(codes)].flatMap((code) => (HINTS.has(code) ? `${code}: ${HINTS.get(code)}\n` : [])).join('');
}

/** What failed, and the URL that was asked for; a redirect may have led elsewhere. */
export type FailedUrl = { url: string; failure: { code: string; message: string } };

/** As `failureHints`, with the hosts that were not allowed. */
export function failureHintsOf(failures: readonly FailedUrl[]): string {
  const refused = failures.filter(({ failure }) => failure.code === 'address_not_allowed');
  const hosts = [...new Set(refused.flatMap((one) => refusedHost(one) ?? []))].slice(0, MAX_HOSTS);
  const options = hosts.map((host) => `--allow-host ${quoted(host)}`).join(' ');
  const hints = failureHints(failures.map(({ failure }) => failure.code));
  return hosts.length === 0 ? hints : hints.replace('--allow-host HOST:PORT', () => options);
}

/** Undefined when it was the target of a redirect that was refused. */
function refusedHost({ url: text, failure }: FailedUrl): string | undefined {
  const url = URL.parse(text);
  const name = url?.hostname.replaceAll(/[[\]]/g, '') ?? '';
  if (url === null || name === '' || !failure.message.includes(name)) return undefined;
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
}
