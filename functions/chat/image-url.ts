/** The characters that RFC 3986 allows in a URL; Japanese text ends it, as a space does. */
const URL_IN_TEXT = /\b(?:https?|s3):\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/i;
/** Punctuation after a URL that belongs to the sentence. */
const PUNCTUATION_AFTER = /[.,;:!?'")\]]+$/;

/**
 * The first URL in a text.
 *
 * @returns undefined when there is none that could be fetched
 */
export function imageUrlIn(text: string): string | undefined {
  const found = URL_IN_TEXT.exec(text)?.[0];
  if (found === undefined) return undefined;
  const url = hasOpening(found) ? found.replace(/[.,;:!?'"]+$/, '') : found.replace(PUNCTUATION_AFTER, '');
  return URL.canParse(url) ? url : undefined;
}

/** A bracket that is opened within the URL, as in Wikipedia's, is also closed within it. */
function hasOpening(url: string): boolean {
  return /[([]/.test(url);
}
