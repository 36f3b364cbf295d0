/** Makes untrusted texts safe for logs, failure lines and dead letters. */

/**
 * Removes the secrets of URLs in a text: user name and password, query (it may hold a signature) and fragment.
 *
 * @example redactUrls('no https://me:pw@host/a.jpg?sig=x') // 'no https://host/a.jpg'
 */
export function redactUrls(text: string): string {
  return text
    .replaceAll(/(?<=:\/\/)[^\s/?#"']*@/g, '')
    .replaceAll(/\?[^\s"'<>]*/g, '')
    .replaceAll(/[^\s"'<>]+/g, withoutFragment);
}

/** Not a regular expression: a look-behind for the scheme takes quadratic time, and URLs are untrusted. */
function withoutFragment(word: string): string {
  const scheme = word.indexOf('://');
  const hash = scheme === -1 ? -1 : word.indexOf('#', scheme);
  return hash === -1 ? word : word.slice(0, hash);
}

/** One line for a thrown value of any type, without secrets of URLs. Never throws. */
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
