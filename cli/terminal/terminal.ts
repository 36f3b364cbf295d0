import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { visibleText } from '../../shared/contract/visible-text.ts';

/**
 * The only module that writes to the terminal (a test checks that). Hosts, keys, labels, headers and file names are
 * untrusted text: they are made safe here, so that no command has to do it.
 */

/** The size of a terminal that reports none. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** The reader has closed the pipe, as `head` does, or the terminal was closed. */
const NO_READER = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

const reader = new AbortController();
/** Aborted when standard output has no reader any more. That is not an error; nothing more is printed. */
export const outputClosed: AbortSignal = reader.signal;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!NO_READER.has(error.code ?? '')) throw Object.assign(error, { path: 'standard output' });
  reader.abort();
});
// There is nowhere to report it.
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
 * On a terminal, prints a text in place of the previous one; elsewhere, one after the other. Text that does not fit the
 * terminal is cut off: a line that wraps or scrolls away could not be replaced. When the command ends, the last text is
 * printed in full.
 */
export function createRedraw(): (text: string) => void {
  let fullText = '';
  let drawn = '';
  const replace = (next: string) => {
    const lines = drawn.split('\n').length - 1;
    process.stdout.write((lines > 0 ? `\u001b[${lines}A\u001b[0J` : '') + next);
    drawn = next;
  };
  // A terminal is written to before the process ends.
  process.once('exit', () => {
    if (drawn !== fullText && !outputClosed.aborted) replace(fullText);
  });
  return (text) => {
    if (!process.stdout.isTTY) return print(text);
    fullText = visibleText(text);
    replace(clipToTerminal(fullText, terminalSize(process.stdout)));
  };
}

/** Columns and rows; a terminal that does not know its size has 0 of both. */
export type TerminalSize = { columns: number; rows: number };

/** Of the terminal that progress is shown on. */
export function stderrSize(): TerminalSize {
  return terminalSize(process.stderr);
}

function terminalSize({ columns, rows }: NodeJS.WriteStream): TerminalSize {
  return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
}

/**
 * Cuts lines of text to the size of a terminal. A column and a row stay free, so that the cursor never makes it scroll.
 */
export function clipToTerminal(text: string, { columns, rows }: TerminalSize): string {
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

/** A stream for libraries that draw by themselves; never write untrusted text to it. */
export function progressStream(): NodeJS.WriteStream {
  return process.stderr;
}

/** Prints a file on standard output: a terminal gets visible text only, other programs get each byte. */
export function printStream(file: Readable): Promise<void> {
  const end = { end: false };
  return process.stdout.isTTY
    ? pipeline(file, visibleStream(), process.stdout, end)
    : pipeline(file, process.stdout, end);
}

/** Turns UTF-8 into visible text. */
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
