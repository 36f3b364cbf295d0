/** Far longer than any line of a worker; longer lines are cut, so that they cannot exhaust memory. */
const MAX_LINE_CHARS = 1024 * 1024;

/**
 * Reassembles the lines of a stream from chunks. Each stream needs its own.
 *
 * @param onLine called with each line when it is complete, without its end
 * @returns a function that takes the chunks
 */
export function wholeLines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) onLine(line);
  };
}
