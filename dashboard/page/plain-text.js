// @ts-check

/**
 * Untrusted text without control and direction characters, which could overwrite neighbouring text. It is text for text
 * nodes and attributes, never markup.
 *
 * @param {string} text
 */
export function plain(text) {
  return text.replaceAll(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

/**
 * The end of an id that is a URL (the default), which distinguishes images.
 *
 * @param {string} id
 */
export function lastPart(id) {
  return /^[a-z0-9]+:\/\//i.test(id) ? id.slice(id.lastIndexOf('/') + 1) || id : id;
}
