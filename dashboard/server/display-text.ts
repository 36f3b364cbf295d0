import { MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import { redactUrls } from '../../shared/contract/redact.ts';
import { hostOf } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';

/** Maximum length of untrusted text that is sent to the page. */
const MAX_CHARS = 300;
/** Characters of a text that are processed: more than the longest URL. */
const LOOKED_AT = 2 * MAX_URL_CHARS;

/**
 * Untrusted text made safe for the page: one line, bounded length, no control or direction characters, URLs redacted.
 */
export function displayText(text: string, maxChars: number = MAX_CHARS): string {
  const safe = visibleLine(redactUrls(beginningOf(text)));
  return safe.length <= maxChars ? safe : `${safe.slice(0, maxChars - 1).toWellFormed()}…`;
}

/** Cut at a word: a URL that is cut within its password could not be recognized and redacted. */
function beginningOf(text: string): string {
  if (text.length <= LOOKED_AT) return text;
  const beginning = text.slice(0, LOOKED_AT);
  return `${beginning.slice(0, Math.max(0, beginning.lastIndexOf(' ')))}…`;
}

/** The host of a URL, or the bucket of an s3:// URL; `-` if there is none. */
export function displayHost(url: string): string {
  if (url.length > LOOKED_AT) return '-';
  const host = hostOf(url);
  return host === '' || host.includes('/') ? '-' : displayText(host);
}
