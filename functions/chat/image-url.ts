/** Everything that RFC 3986 has in a URL; so a sentence in Japanese ends it, as a space does. */
const URL_IN_TEXT = /\b(?:https?|s3):\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/i;
/** What stands after a URL in a sentence rather than belonging to it. */
const PUNCTUATION_AFTER = /[.,;:!?'")\]]+$/;

/**
 * The first URL in what somebody said.
 *
 * @returns undefined when there is none that could be fetched
 */
export function imageUrlIn(text: string): string | undefined {
  const found = URL_IN_TEXT.exec(text)?.[0];
  if (found === undefined) return undefined;
  const url = hasOpening(found) ? found.replace(/[.,;:!?'"]+$/, '') : found.replace(PUNCTUATION_AFTER, '');
  return URL.canParse(url) ? url : undefined;
}

/** A bracket that was opened within the URL, as Wikipedia's have them, is closed within it, too. */
function hasOpening(url: string): boolean {
  return /[([]/.test(url);
}
