import { SourceProblem } from './source-reading.ts';

/** The encoding of a text. */
export type Encoding = {
  /** As `TextDecoder` calls it, e.g. `utf-8`, `utf-16le`, `shift_jis`. */
  label: string;
  /** Bytes of the byte order mark before the text. */
  bomBytes: number;
};

const BYTE_ORDER_MARKS: [label: string, bytes: Buffer][] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];
const UTF_32_MARKS = [Buffer.from([0xff, 0xfe, 0, 0]), Buffer.from([0, 0, 0xfe, 0xff])];

/** URLs are ASCII for the most part, and so is the table or JSON around them. */
const MIN_SHARE_OF_ZEROS = 0.25;

/**
 * The encoding of a text by its first bytes: a byte order mark, as in browsers; else the given label; else UTF-16 when
 * every other byte is 0; else UTF-8.
 *
 * @param requested a label of the WHATWG Encoding Standard, e.g. `windows-1252`
 * @throws {SourceProblem} for UTF-32, and for a label that does not exist
 */
export function encodingOf(head: Buffer, requested: string | undefined): Encoding {
  if (UTF_32_MARKS.some((mark) => head.subarray(0, mark.length).equals(mark))) {
    throw new SourceProblem('expected text in UTF-8 or UTF-16, got UTF-32: convert it with iconv -f UTF-32 -t UTF-8');
  }
  const label = labelOf(requested);
  for (const [marked, mark] of BYTE_ORDER_MARKS) {
    if (head.subarray(0, mark.length).equals(mark)) return { label: marked, bomBytes: mark.length };
  }
  return { label: label ?? unmarked(head), bomBytes: 0 };
}

function labelOf(requested: string | undefined): string | undefined {
  if (requested === undefined) return undefined;
  try {
    return new TextDecoder(requested, { fatal: true }).encoding;
  } catch {
    throw new SourceProblem(
      `expected --encoding to be a label of the WHATWG Encoding Standard, e.g. windows-1252 or shift_jis, got ${JSON.stringify(requested)}`,
    );
  }
}

function unmarked(head: Buffer): string {
  let [even, odd] = [0, 0];
  for (const [index, byte] of head.entries()) {
    if (byte !== 0) continue;
    if (index % 2 === 0) even++;
    else odd++;
  }
  const enough = (head.length / 2) * MIN_SHARE_OF_ZEROS;
  if (odd > enough && odd > even * 2) return 'utf-16le';
  return even > enough && even > odd * 2 ? 'utf-16be' : 'utf-8';
}
