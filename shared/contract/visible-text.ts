/**
 * Makes untrusted texts (hosts, keys, labels, headers, file names) safe for a terminal: they cannot move the cursor, change
 * earlier output, or display as something else.
 */

/**
 * Control characters (C0, DEL, C1), format characters (text direction, zero width, tags), line and paragraph separators, lone
 * surrogates and other invisible characters. The two variation selectors of emoji are allowed.
 */
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\uFE0E\uFE0F]]/gv;
const INVISIBLE_BUT_LAYOUT = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\n\t\uFE0E\uFE0F]]/gv;

/**
 * A text without invisible characters other than line breaks and tabs. They are escaped as in JSON, so JSON keeps its meaning.
 *
 * @example visibleText('a\u001b[2Jb\n') // 'a\\u001b[2Jb\n'
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE_BUT_LAYOUT, escaped);
}

/**
 * The same on one line: for untrusted names and values within a message, where their line breaks could imitate other messages.
 *
 * @example visibleLine('cat\njob done') // 'cat\\u000ajob done'
 */
export function visibleLine(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** Astral characters are escaped as surrogate pairs. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
