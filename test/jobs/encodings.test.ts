import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { outcomes, readList } from './lists.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

const CAT = 'https://host/größe.jpg';
const LISTS: [name: string, text: string, meta: object | undefined][] = [
  ['a.txt', `${CAT}\n`, undefined],
  ['a.jsonl', `{"url":"${CAT}","meta":{"t":"猫 🐱"}}\n`, { t: '猫 🐱' }],
  ['a.csv', `url,t\n${CAT},猫 🐱\n`, { t: '猫 🐱' }],
  ['a.tsv', `url\tt\n${CAT}\t猫 🐱\n`, { t: '猫 🐱' }],
];
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const ENCODINGS: [name: string, encode: (text: string) => Buffer, label: string][] = [
  ['UTF-8', (text) => Buffer.from(text), 'utf-8'],
  ['UTF-8 with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`), 'utf-8'],
  ['UTF-16 LE', (text) => Buffer.from(text, 'utf16le'), 'utf-16le'],
  ['UTF-16 LE with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'), 'utf-16le'],
  ['UTF-16 BE', utf16be, 'utf-16be'],
  ['UTF-16 BE with a byte order mark', (text) => utf16be(`\uFEFF${text}`), 'utf-16be'],
];

test.each(
  LISTS.flatMap(([name, text, meta]) =>
    ENCODINGS.map(([encoding, encode, label]) => ({ name, encoding, text, encode, meta, label })),
  ),
)('$name is read in $encoding, which is detected', async ({ name, text, encode, meta, label }) => {
  const { rows, reading } = await readList(folder, name, encode(text));
  expect(outcomes(rows)).toEqual([{ id: CAT, url: CAT, ...(meta !== undefined && { meta }) }]);
  expect(reading.encoding).toBe(label);
});

test.each([
  ['windows-1252', [0x63, 0x61, 0x66, 0xe9, 0x20, 0x80], 'café €'],
  ['shift_jis', [0x94, 0x4c], '猫'],
  ['gb18030', [0xc3, 0xa8], '猫'],
  ['koi8-r', [0xcb, 0xcf, 0xd4], 'кот'],
])('a list in %s is read when the encoding is given', async (encoding, bytes, title) => {
  const list = Buffer.concat([Buffer.from('url,title\nhttps://h/a.jpg,'), Buffer.from(bytes), Buffer.from('\n')]);
  const { rows } = await readList(folder, 'a.csv', list, { encoding });
  expect(outcomes(rows)).toMatchObject([{ meta: { title } }]);
});

test.each([
  ['a.txt', ['https://h/1.jpg', 'https://h/caf\xE9.jpg', 'https://h/3.jpg'], 2],
  ['a.jsonl', ['{"url":"https://h/1.jpg"}', '{"url":"https://h/caf\xE9.jpg"}', '{"url":"https://h/3.jpg"}'], 2],
  ['a.csv', ['url', 'https://h/1.jpg', 'https://h/caf\xE9.jpg', 'https://h/3.jpg'], 3],
  ['a.tsv', ['url', 'https://h/1.jpg', 'https://h/caf\xE9.jpg', 'https://h/3.jpg'], 3],
])(
  'bytes of %s that are not UTF-8 make their line invalid, and the message names --encoding',
  async (name, lines, line) => {
    const { rows } = await readList(folder, name, Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
    expect(outcomes(rows)).toEqual([
      expect.objectContaining({ url: 'https://h/1.jpg' }),
      { line, problem: expect.stringMatching(/UTF-8.*--encoding/) },
      expect.objectContaining({ url: 'https://h/3.jpg' }),
    ]);
  },
);

test('an invalid byte is reported with its line, far behind the first block', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `https://h/${index}.jpg`);
  lines[15_000] = 'https://h/caf\xE9.jpg';
  const { rows } = await readList(folder, 'a.txt', Buffer.from(lines.join('\n'), 'latin1'));
  expect(rows).toHaveLength(20_000);
  expect(rows.filter((row) => 'problem' in row)).toMatchObject([{ line: 15_001 }]);
});

test.each([
  ['half a surrogate pair', Buffer.from('https://h/\uD83D.jpg\nhttps://h/b.jpg\n', 'utf16le')],
  ['half a code unit', Buffer.concat([Buffer.from('https://h/b.jpg\nhttps://h/', 'utf16le'), Buffer.from('x')])],
])('in UTF-16, %s makes its line invalid', async (_what, content) => {
  const { rows } = await readList(folder, 'a.txt', content);
  expect(rows.filter((row) => 'problem' in row)).toMatchObject([{ problem: expect.stringContaining('UTF-16') }]);
  expect(rows.filter((row) => 'image' in row)).toHaveLength(1);
});

test('UTF-16 is read across blocks, with surrogate pairs', async () => {
  const text = Array.from({ length: 30_000 }, (_, index) => `https://h/🐱${index}.jpg\r\n`).join('');
  for (const content of [Buffer.from(`\uFEFF${text}`, 'utf16le'), utf16be(text)]) {
    const { rows } = await readList(folder, 'a.txt', content);
    expect(rows).toHaveLength(30_000);
    expect(rows.every((row, index) => 'image' in row && row.image.url === `https://h/🐱${index}.jpg`)).toBe(true);
  }
});

test('UTF-32 and an unknown encoding are refused', async () => {
  const utf32 = Buffer.from([0xff, 0xfe, 0, 0, 0x68, 0, 0, 0]);
  await expect(readList(folder, 'a.txt', utf32)).rejects.toThrow(
    /a\.txt: expected text in UTF-8 or UTF-16, got UTF-32/,
  );
  await expect(readList(folder, 'a.txt', 'x', { encoding: 'utf-9' })).rejects.toThrow(/--encoding.*got "utf-9"/);
});

test.each(['\n', '\r\n', '\r'])('lines end with %j in each format', async (end) => {
  for (const [name, header] of [
    ['a.txt', []],
    ['a.csv', ['url']],
    ['a.tsv', ['url']],
  ] as const) {
    const lines = [...header, ...Array.from({ length: 5 }, (_, index) => `https://h/${index}.jpg`)];
    for (const content of [lines.join(end), `${lines.join(end)}${end}`]) {
      const { rows } = await readList(folder, name, content);
      expect(rows.map(({ line }) => line - header.length)).toEqual([1, 2, 3, 4, 5]);
    }
  }
});

test('line ends are found wherever a block of the file ends', async () => {
  const lines = Array.from({ length: 9_000 }, (_, index) => `https://h/${'x'.repeat(index % 97)}${index}.jpg`);
  for (const end of ['\r\n', '\r']) {
    const { rows } = await readList(folder, 'a.txt.gz', gzipSync(lines.join(end)));
    expect(rows.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
  }
});

test('a line of more than 8 MiB is invalid, and the others are read', async () => {
  const long = `{"url":"https://h/b.jpg","meta":{"x":"${'y'.repeat(9 * 1024 * 1024)}"}}`;
  for (const end of ['\n', '\r\n']) {
    const { rows } = await readList(folder, 'a.jsonl', `https://h/a.jpg${end}${long}${end}https://h/c.jpg${end}`);
    expect(outcomes(rows)).toMatchObject([
      { url: 'https://h/a.jpg' },
      { line: 2, problem: expect.stringContaining('8 MiB') },
      { url: 'https://h/c.jpg' },
    ]);
  }
});
