import { MAX_MESSAGE_BYTES } from '../../../shared/contract/limits.ts';
import type { Encoding } from './encoding.ts';

/** A line of a text, without its end. */
export type Line = {
  /** From 1. */
  number: number;
  text: string;
  /** The line terminator, if not `\n`. */
  end?: string;
  /** Why it is not a line of text; `text` is then a printable part of it. */
  problem?: string;
};

/** Written after the last line by DOS programs. */
export const END_OF_FILE = '\u001a';

/** JSON may write each byte of an image's message as `\u00xx`, six characters, and have white space around them. */
const MAX_LINE_BYTES = 8 * MAX_MESSAGE_BYTES;
const SHOWN_OF_A_LONG_LINE = 1_000;

const [LF, CR] = [0x0a, 0x0d];

/**
 * The lines of a text, in batches. Lines end with LF, CRLF or CR, also in one file. A line that is not valid in the
 * encoding, or exceeds 8 MiB, is invalid alone.
 *
 * @param bytes without their byte order mark
 */
export async function* textLines(bytes: AsyncIterable<Buffer>, { label }: Encoding): AsyncGenerator<Line[]> {
  const utf16 = label.startsWith('utf-16');
  const decoder = utf16 ? new Utf16Lines() : new OneByteLines(label);
  const input = utf16 ? codeUnits(bytes, label === 'utf-16be') : bytes;
  let number = 1;
  for await (const block of wholeLines(input, utf16 ? 2 : 1)) {
    const lines = 'cutOff' in block ? [tooLong(block.cutOff, label)] : decoder.lines(block.bytes);
    for (const line of lines) line.number = number++;
    yield lines;
  }
}

type Block = { bytes: Buffer } | { cutOff: Buffer };

/**
 * Splits a stream after line ends, which are one unambiguous byte in each encoding but UTF-16. So each block is decoded
 * on its own, and an invalid byte is attributed to its line.
 *
 * @param width bytes of a line end
 */
async function* wholeLines(bytes: AsyncIterable<Buffer>, width: 1 | 2): AsyncGenerator<Block> {
  let rest: Buffer[] = [];
  let length = 0;
  let dropping = false;
  for await (const chunk of bytes) {
    const start = dropping ? firstLineEnd(chunk, width) : 0;
    if (start === -1) continue;
    dropping = false;
    const end = lastLineEnd(chunk, width);
    if (end > start) {
      yield { bytes: Buffer.concat([...rest, chunk.subarray(start, end)]) };
      rest = [];
      length = 0;
    }
    rest.push(chunk.subarray(Math.max(start, end)));
    length += chunk.length - Math.max(start, end);
    if (length <= MAX_LINE_BYTES) continue;
    yield { cutOff: Buffer.concat(rest) };
    rest = [];
    length = 0;
    dropping = true;
  }
  if (length > 0) yield { bytes: Buffer.concat(rest) };
}

/** @returns the index after the line end, -1 when there is none */
function firstLineEnd(chunk: Buffer, width: 1 | 2): number {
  for (let at = 0; at < chunk.length; at += width) {
    if (!isLineEnd(chunk, at, width)) continue;
    const isCrLf = chunk[at] === CR && chunk[at + width] === LF;
    return at + (isCrLf ? 2 : 1) * width;
  }
  return -1;
}

/** @returns the index after it; 0 when there is none. A CR at the very end may be half of a CRLF. */
function lastLineEnd(chunk: Buffer, width: 1 | 2): number {
  for (let at = chunk.length - width; at >= 0; at -= width) {
    if (isLineEnd(chunk, at, width) && !(chunk[at] === CR && at + width === chunk.length)) return at + width;
  }
  return 0;
}

function isLineEnd(chunk: Buffer, at: number, width: 1 | 2): boolean {
  return (chunk[at] === LF || chunk[at] === CR) && (width === 1 || chunk[at + 1] === 0);
}

/** UTF-16 in little-endian order; chunks end at code units. */
async function* codeUnits(bytes: AsyncIterable<Buffer>, bigEndian: boolean): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const complete = all.length - (all.length % 2);
    rest = Buffer.from(all.subarray(complete));
    const units = all.subarray(0, complete);
    yield bigEndian ? Buffer.from(units).swap16() : units;
  }
  // Half a code unit is not valid text; a lone surrogate marks it as such.
  if (rest.length > 0) yield Buffer.from([0x00, 0xd8]);
}

/** UTF-8, and all encodings in which a line end is one byte. */
class OneByteLines {
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #lenient: InstanceType<typeof TextDecoder>;

  constructor(label: string) {
    this.#decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
    this.#lenient = new TextDecoder(label, { ignoreBOM: true });
  }

  lines(block: Buffer): Line[] {
    const text = this.#decode(block);
    return text === undefined ? this.#oneByOne(block) : splitLines(text);
  }

  #oneByOne(block: Buffer): Line[] {
    const lines: Line[] = [];
    for (let start = 0; start < block.length; ) {
      const length = firstLineEnd(block.subarray(start), 1);
      const end = length === -1 ? block.length : start + length;
      lines.push(this.#line(block.subarray(start, end)));
      start = end;
    }
    return lines;
  }

  #line(bytes: Buffer): Line {
    const text = this.#decode(bytes);
    const [line] = splitLines(text ?? this.#lenient.decode(bytes));
    return { number: 0, text: '', ...line, ...(text === undefined && { problem: notText(this.#decoder.encoding) }) };
  }

  #decode(bytes: Buffer): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }
}

class Utf16Lines {
  lines(block: Buffer): Line[] {
    const lines = splitLines(block.toString('utf16le'));
    for (const line of lines) if (!line.text.isWellFormed()) line.problem = notText('utf-16');
    return lines;
  }
}

function notText(label: string): string {
  const name = label.toUpperCase();
  return `expected text in ${name}, got other bytes: set the encoding of the file, e.g. --encoding windows-1252 or --encoding shift_jis`;
}

function splitLines(text: string): Line[] {
  if (!text.includes('\r')) {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line) => ({ number: 0, text: line }));
  }
  const lines: Line[] = [];
  // Alternating lines and their terminators.
  const parts = text.split(/(\r\n|\n|\r)/);
  for (let at = 0; at < parts.length; at += 2) {
    const [line = '', end] = [parts[at], parts[at + 1]];
    if (end !== undefined) lines.push(end === '\n' ? { number: 0, text: line } : { number: 0, text: line, end });
    else if (line !== '') lines.push({ number: 0, text: line });
  }
  return lines;
}

function tooLong(start: Buffer, label: string): Line {
  const text = new TextDecoder(label.startsWith('utf-16') ? 'utf-16le' : label).decode(
    start.subarray(0, SHOWN_OF_A_LONG_LINE),
  );
  const problem = `expected at most ${MAX_LINE_BYTES / MAX_MESSAGE_BYTES} MiB per line, got more`;
  return { number: 0, text, problem };
}
