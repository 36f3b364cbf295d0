import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { ZipFile } from 'yazl';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { outcomes, readList } from './lists.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

async function zip(files: Record<string, string>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, text] of Object.entries(files)) archive.addBuffer(Buffer.from(text), name);
  archive.end();
  return buffer(archive.outputStream);
}

const CONTENT_TYPES =
  '<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>';
const photo = (name: string) => readFile(join(import.meta.dirname, '../../samples/photos', name));

test.each<[what: string, content: () => Buffer | string | Promise<Buffer>, hint: RegExp]>([
  [
    'an Excel workbook',
    () => zip({ '[Content_Types].xml': CONTENT_TYPES, 'xl/workbook.xml': '<workbook/>' }),
    /Excel workbook: save it as CSV/,
  ],
  ['a zip archive', () => zip({ 'list.csv': 'url\n' }), /zip archive: unpack it/],
  ['a bzip2 file', () => Buffer.from('BZh91AY&SY\0\0\0\0'), /bzip2 file: unpack it/],
  ['an xz file', () => Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]), /xz file: unpack it/],
  ['a photo', () => photo('chelsea.jpg'), /an image \(image\/jpeg\): enqueue /],
  ['a PDF', () => '%PDF-1.7\n', /PDF document/],
  ['an HTML page', () => '<!DOCTYPE html>\n<html>', /HTML/],
  ['an ORC file', () => Buffer.from('ORC\0\x01'), /ORC file: write it as Parquet/],
  ['a JSON array', () => '[{"url":"https://h/a.jpg"}]', /JSON array: jq/],
  ['a JSON array over several lines', () => '[\n  {"url":"https://h/a.jpg"}\n]', /JSON array: jq/],
  ['a JSON document over several lines', () => '{\n  "url":"https://h/a.jpg"\n}', /several lines: jq/],
])('%s is refused in one line that says what to do', async (_what, content, hint) => {
  const reading = readList(folder, 'list.txt', await content());
  await expect(reading).rejects.toThrow(hint);
  await expect(reading).rejects.toThrow(/^[^\n]*list\.txt: expected [^\n]*$/);
});

test('text that begins like another format is text', async () => {
  for (const name of ['BM', 'MZ', 'II*', 'GIF', 'ID3', 'PK']) {
    const { rows } = await readList(folder, 'a.csv', `${name}I,url\n1,https://h/a.jpg\n`);
    expect(outcomes(rows)).toMatchObject([{ url: 'https://h/a.jpg' }]);
  }
});
