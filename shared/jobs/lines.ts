import type { Readable } from 'node:stream';

/**
 * The lines of a text, without their `\n`; a `\r` before it is kept. Not `node:readline`, which also ends lines at U+2028 and
 * U+2029: JSON strings may contain these.
 */
export async function* linesOf(text: Readable): AsyncGenerator<string> {
  text.setEncoding('utf8');
  let rest = '';
  for await (const chunk of text as AsyncIterable<string>) {
    const [first = '', ...more] = chunk.split('\n');
    rest += first;
    for (const next of more) {
      yield rest;
      rest = next;
    }
  }
  if (rest !== '') yield rest;
}
