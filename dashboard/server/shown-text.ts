import { MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import { redactUrls } from '../../shared/contract/redact.ts';
import { hostOf } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';

/** Characters of a text of others that the page is sent; whatever follows is cut off. */
const MAX_CHARS = 300;
/** What is looked at of a text: the longest URL, and then some. */
const LOOKED_AT = 2 * MAX_URL_CHARS;

/**
 * A text of others as the page may have it: on one line, of bounded length, without control and direction characters,
 * and without what is secret about URLs in it.
 */
export function shownText(text: string, mostChars: number = MAX_CHARS): string {
  const safe = visibleLine(redactUrls(beginningOf(text)));
  return safe.length <= mostChars ? safe : `${safe.slice(0, mostChars - 1).toWellFormed()}…`;
}

/** Whole words: a URL that is cut might be cut within its password, which then has no sign of one any more. */
function beginningOf(text: string): string {
  if (text.length <= LOOKED_AT) return text;
  const beginning = text.slice(0, LOOKED_AT);
  return `${beginning.slice(0, Math.max(0, beginning.lastIndexOf(' ')))}…`;
}

/** The host of a URL, of an s3:// URL its bucket; `-` where there is none. */
export function shownHost(url: string): string {
  if (url.length > LOOKED_AT) return '-';
  const host = hostOf(url);
  return host === '' || host.includes('/') ? '-' : shownText(host);
}
