/** What to do with files that are not lists, by detected file extension. */
const WHAT_TO_DO = new Map([
  ['xlsx', 'an Excel workbook: save it as CSV (UTF-8)'],
  ['xlsm', 'an Excel workbook: save it as CSV (UTF-8)'],
  ['cfb', 'an old Office document: save it as CSV (UTF-8)'],
  ['ods', 'an OpenDocument spreadsheet: save it as CSV (UTF-8)'],
  ['zip', 'a zip archive: unpack it and enqueue the file or folder inside'],
  ['7z', 'a 7z archive: unpack it and enqueue the file or folder inside'],
  ['rar', 'a rar archive: unpack it and enqueue the file or folder inside'],
  ['tar', 'a tar archive: unpack it and enqueue the file or folder inside'],
  ['bz2', 'a bzip2 file: unpack it with bunzip2'],
  ['xz', 'an xz file: unpack it with unxz'],
  ['lz4', 'an lz4 file: unpack it with unlz4'],
  ['arrow', 'an Arrow file: write it as Parquet'],
  ['avro', 'an Avro file: write it as Parquet'],
  ['sqlite', 'a SQLite database: export the table as CSV'],
]);
const HEAD_BYTES = 4_096;

/**
 * What a file is that is not a list, and what to do with it, in one line.
 *
 * @param head its first bytes; some formats are only recognized after several kilobytes
 * @returns undefined if it may be text
 */
export async function notAList(head: Buffer): Promise<string | undefined> {
  const start = head.toString('latin1', 0, HEAD_BYTES);
  if (/^\s*<(!doctype|html|\?xml)/i.test(start)) return expectedList('an HTML or XML page');
  if (start.startsWith('%PDF')) return expectedList('a PDF document');
  if (start.startsWith('ORC') && isBinary(head)) return expectedList('an ORC file: write it as Parquet');
  // Text may begin with the same two or three characters as some formats.
  if (!isBinary(head)) return undefined;
  // Imported here because text files do not need it.
  const { fileTypeFromBuffer } = await import('file-type');
  const type = await fileTypeFromBuffer(head);
  return type === undefined ? undefined : expectedList(kindOf(type));
}

/** Control characters other than white space and escape do not occur in text. UTF-16 contains zeros, too. */
function isBinary(head: Buffer): boolean {
  return head.subarray(0, HEAD_BYTES).some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b));
}

function kindOf({ ext, mime }: { ext: string; mime: string }): string {
  if (mime.startsWith('image/')) {
    return `an image (${mime}): enqueue its folder, or use labelqueue classify`;
  }
  return WHAT_TO_DO.get(ext) ?? mime;
}

function expectedList(got: string): string {
  return `expected a list of images (text, JSON lines, CSV, TSV or Parquet, each also .gz or .zst), got ${got}`;
}
