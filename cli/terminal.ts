import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { visibleText } from '../shared/contract/visible-text.ts';

/**
 * The one place that writes to the terminal; a test looks for others. Hosts, keys, labels, headers and the names of files
 * are texts of strangers, and no command has to think of it.
 */

/** Prints a text or JSON on standard output, see `visibleText`. */
export function print(text: string): void {
  process.stdout.write(visibleText(text));
}

/** Prints what is not the command's result (progress, notes, errors) on standard error, see `visibleText`. */
export function printNote(text: string): void {
  process.stderr.write(visibleText(text));
}

/** Prints a text in the place of the one before it, on a terminal; elsewhere they follow each other. */
export function createRedraw(): (text: string) => void {
  let lines = 0;
  return (text) => {
    const erase = process.stdout.isTTY && lines > 0 ? `\u001b[${lines}A\u001b[0J` : '';
    process.stdout.write(erase + visibleText(text));
    lines = text.split('\n').length - 1;
  };
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

/** Lets the process outlive its terminal: one that was closed takes no more text. */
export function surviveClosedTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

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
