/**
 * Texts that others wrote (hosts, keys, labels, headers, names of files), made fit for a terminal: nothing in them moves
 * its cursor, changes what was printed before, or reads differently from what it is.
 */

/**
 * Control characters (C0, DEL, C1), format characters (direction of text, zero width, tags), line and paragraph separators,
 * halves of characters, and whatever else is not to be seen. The two selectors that choose between a picture and a text
 * stay: they are part of ordinary emoji.
 */
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\uFE0E\uFE0F]]/gv;
const INVISIBLE_BUT_LAYOUT = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\n\t\uFE0E\uFE0F]]/gv;

/**
 * A text of which all is to be seen, in its lines and with its tabs. What is not is written as in JSON, so that JSON stays the same JSON.
 *
 * @example visibleText('a\u001b[2Jb\n') // 'a\\u001b[2Jb\n'
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE_BUT_LAYOUT, escaped);
}

/**
 * The same on one line: for a name or a value of others within a text of ours, in which a line of theirs would look like ours.
 *
 * @example visibleLine('cat\njob done') // 'cat\\u000ajob done'
 */
export function visibleLine(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** Astral characters as their two halves. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
