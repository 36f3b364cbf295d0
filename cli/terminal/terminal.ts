import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { visibleText } from '../../shared/contract/visible-text.ts';

/**
 * The one place that writes to the terminal; a test looks for others. Hosts, keys, labels, headers and the names of files
 * are texts of strangers, and no command has to think of it.
 */

/** What terminals were before they had sizes. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** The reader has seen enough, as `head` has, or the terminal was closed. */
const NO_READER = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

const reader = new AbortController();
/** Aborted when nobody reads standard output any more. That is not an error, and a reason to print nothing more. */
export const readerGone: AbortSignal = reader.signal;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!NO_READER.has(error.code ?? '')) throw Object.assign(error, { path: 'standard output' });
  reader.abort();
});
// There is no place to report it.
process.stderr.on('error', () => {});

/** Prints a text or JSON on standard output, see `visibleText`. */
export function print(text: string): void {
  process.stdout.write(visibleText(text));
}

/** Prints what is not the command's result (progress, notes, errors) on standard error, see `visibleText`. */
export function printNote(text: string): void {
  process.stderr.write(visibleText(text));
}

/**
 * Prints a text in the place of the one before it, on a terminal; elsewhere they follow each other. What has no room on the
 * terminal is left out: a line that wraps, or scrolls out of sight, could not be replaced. When the command ends, the last
 * text is printed whole.
 */
export function createRedraw(): (text: string) => void {
  let whole = '';
  let shown = '';
  const replace = (next: string) => {
    const lines = shown.split('\n').length - 1;
    process.stdout.write((lines > 0 ? `\u001b[${lines}A\u001b[0J` : '') + next);
    shown = next;
  };
  // A terminal is written to before the process ends.
  process.once('exit', () => {
    if (shown !== whole && !readerGone.aborted) replace(whole);
  });
  return (text) => {
    if (!process.stdout.isTTY) return print(text);
    whole = visibleText(text);
    replace(fitting(whole, terminalSize(process.stdout)));
  };
}

/** Columns and rows; a terminal that does not know its size has 0 of both. */
export type TerminalSize = { columns: number; rows: number };

/** Of the terminal that progress is shown on. */
export function notesSize(): TerminalSize {
  return terminalSize(process.stderr);
}

function terminalSize({ columns, rows }: NodeJS.WriteStream): TerminalSize {
  return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
}

/** A text of lines, cut to a terminal: a column and a row stay free, so that the cursor never makes it scroll. */
export function fitting(text: string, { columns, rows }: TerminalSize): string {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines
    .slice(0, Math.max(rows - 1, 1))
    .map(
      (line) =>
        `${Array.from(line)
          .slice(0, Math.max(columns - 1, 1))
          .join('')}\n`,
    )
    .join('');
}

export const onTerminal = {
  get input(): boolean {
    return process.stdin.isTTY;
  },
  get output(): boolean {
    return process.stdout.isTTY;
  },
  get notes(): boolean {
    return process.stderr.isTTY;
  },
};

/** Where a program draws by itself; it may be given no text of strangers. */
export function drawingSurface(): NodeJS.WriteStream {
  return process.stderr;
}

/** Prints a file on standard output: a terminal gets what can be seen of it, other programs each byte. */
export function printStream(file: Readable): Promise<void> {
  const end = { end: false };
  return process.stdout.isTTY
    ? pipeline(file, visibleStream(), process.stdout, end)
    : pipeline(file, process.stdout, end);
}

/** UTF-8 in, and what can be seen of it out. */
export function visibleStream(): Transform {
  const decoder = new StringDecoder('utf8');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, visibleText(decoder.write(chunk)));
    },
    flush(done) {
      done(null, visibleText(decoder.end()));
    },
  });
}
