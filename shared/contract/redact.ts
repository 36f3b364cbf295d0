/** Texts that others wrote, made fit for logs, failure lines and dead letters. */

/**
 * A text without what is secret about the URLs in it: user name and password, query (a signature
 * stands there) and fragment.
 *
 * @example redactUrls('no https://me:pw@host/a.jpg?sig=x') // 'no https://host/a.jpg'
 */
export function redactUrls(text: string): string {
  return text
    .replaceAll(/(?<=:\/\/)[^\s/?#"']*@/g, '')
    .replaceAll(/\?[^\s"'<>]*/g, '')
    .replaceAll(/[^\s"'<>]+/g, withoutFragment);
}

/** By hand: an expression that looks back for the scheme takes quadratic time, and strangers write URLs. */
function withoutFragment(word: string): string {
  const scheme = word.indexOf('://');
  const hash = scheme === -1 ? -1 : word.indexOf('#', scheme);
  return hash === -1 ? word : word.slice(0, hash);
}

/** What was thrown, which may be anything. Never throws itself. */
export function describeError(thrown: unknown): string {
  return redactUrls(Error.isError(thrown) ? `${thrown.name}: ${thrown.message}` : textOf(thrown));
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'an object that has no text';
  }
}
