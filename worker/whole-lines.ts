/** No line of a worker comes near it; one that does is cut, so that it cannot take all memory. */
const MAX_LINE_CHARS = 1024 * 1024;

/**
 * Puts the lines of a stream together that comes in pieces of any length. Each stream needs one of its own.
 *
 * @param onLine is given each line once its end has come, without it
 * @returns takes the pieces
 */
export function wholeLines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) onLine(line);
  };
}
