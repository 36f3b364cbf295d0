import { constants, crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { gunzip, unzstd } from '../../cli/enqueue/sources/compressed-members.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { outcomes, readList } from './lists.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

const url = (index: number) => `https://h/${index}.jpg`;
const FORMATS: [name: string, compress: (text: string) => Buffer][] = [
  ['gzip', (text) => gzipSync(text)],
  ['zstd', (text) => zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
];

test.each(FORMATS)('%s of several members is read to its end', async (_name, compress) => {
  const content = Buffer.concat([compress(`${url(1)}\nhttps://h/`), compress(''), compress(`2.jpg\n${url(3)}\n`)]);
  const { rows, reading } = await readList(folder, 'a.txt', content);
  expect(outcomes(rows)).toMatchObject([{ url: url(1) }, { url: url(2) }, { url: url(3) }]);
  expect([...reading.warnings]).toEqual([]);
});

test.each(FORMATS)('%s with trailing bytes is read, with a warning', async (_name, compress) => {
  const content = Buffer.concat([compress(`${url(1)}\n${url(2)}\n`), Buffer.from('\r\n')]);
  const { rows, reading } = await readList(folder, 'a.txt', content);
  expect(rows).toHaveLength(2);
  expect([...reading.warnings]).toEqual([expect.stringContaining('bytes after the end')]);
});

test.each(FORMATS)('%s that is padded with zeros is read', async (_name, compress) => {
  const { rows, reading } = await readList(folder, 'a.txt', Buffer.concat([compress(url(1)), Buffer.alloc(512)]));
  expect(rows).toHaveLength(1);
  expect([...reading.warnings]).toEqual([]);
});

test.each(FORMATS)('%s of many megabytes with members of all sizes is read completely', async (_name, compress) => {
  const lines = Array.from({ length: 200_000 }, (_, index) => `${url(index)}\n`);
  const members = [0, 1, 3, 70_000, 70_001, 200_000].map((end, index, ends) => lines.slice(ends[index - 1] ?? 0, end));
  const content = Buffer.concat(members.map((member) => compress(member.join(''))));
  const { rows } = await readList(folder, 'a.txt', content);
  expect(rows.every((row, index) => 'image' in row && row.image.url === url(index))).toBe(true);
  expect(rows).toHaveLength(200_000);
});

test.each(FORMATS)('%s that is truncated or damaged is reported as such', async (name, compress) => {
  const whole = compress(
    Array.from({ length: 1_000 }, (_, index) => `${url(index)} ${crc32(String(index))}`).join('\n'),
  );
  await expect(readList(folder, 'a.txt', whole.subarray(0, -5))).rejects.toThrow(
    new RegExp(`a\\.txt: expected a whole ${name} file`),
  );
  const damaged = Buffer.from(whole);
  damaged.fill(0xff, 100, 200);
  await expect(readList(folder, 'a.txt', damaged)).rejects.toThrow(/a\.txt: expected a (sound|whole)/);
});

test('all fields that the header of gzip may have are skipped', async () => {
  const text = Buffer.from(`${url(1)}\n`);
  const extra = Buffer.from([4, 0, 1, 2, 3, 4]);
  const header = Buffer.from([0x1f, 0x8b, 8, 0b11110, 0, 0, 0, 0, 0, 3]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(text));
  trailer.writeUInt32LE(text.length, 4);
  const names = Buffer.from('name\0comment\0');
  const content = Buffer.concat([header, extra, names, Buffer.from([0, 0]), deflateRawSync(text), trailer]);
  expect(outcomes((await readList(folder, 'a.txt', content)).rows)).toMatchObject([{ url: url(1) }]);
});

test('a table within .zst is recognized by its name', async () => {
  const { rows } = await readList(folder, 'a.csv.zst', zstdCompressSync(`url;t\n${url(1)};a\n`));
  expect(outcomes(rows)).toMatchObject([{ url: url(1), meta: { t: 'a' } }]);
});

const MIB = 1024 * 1024;
// Kept throughout: what is freed meanwhile would hide what is held.
const ZEROS = Buffer.alloc(256 * MIB);

test.each([
  ['zstd', unzstd, zstdCompressSync],
  ['gzip', gunzip, gzipSync],
] as const)('%s of a few kilobytes is unpacked only as fast as it is read', async (_name, unpack, compress) => {
  const bomb = compress(ZEROS);
  const bytes = (async function* () {
    yield bomb;
  })();
  const before = process.memoryUsage().arrayBuffers;
  const unpacked = unpack(bytes, () => {});
  const { value } = await unpacked.next();
  const held = process.memoryUsage().arrayBuffers - before;
  expect(value?.length).toBeGreaterThan(0);
  expect(held).toBeLessThan(16 * MIB);
  await unpacked.return(undefined);
});

test.each(FORMATS)('%s whose file fails in the middle fails with the error of the file', async (name, compress) => {
  const bytes = (async function* () {
    yield compress('a'.repeat(1_000)).subarray(0, 14);
    throw new Error('EIO: i/o error, read');
  })();
  const unpacked = (name === 'gzip' ? gunzip : unzstd)(bytes, () => {});
  await expect(Array.fromAsync(unpacked)).rejects.toThrow('EIO: i/o error, read');
});
