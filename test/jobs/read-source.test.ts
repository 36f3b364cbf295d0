import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSource, type SourceFile } from '../../cli/enqueue/sources/read-source.ts';
import { MAX_ID_CHARS, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelqueue-source-'));
});
afterAll(() => rm(folder, { recursive: true }));

function linesFile(path: string, base?: string): SourceFile {
  const columns = { urlColumn: undefined, idColumn: undefined, meta: false };
  return { path, format: 'lines', columns, ...(base !== undefined && { base: new URL(base) }) };
}

async function readRows(content: string | Buffer, base?: string): Promise<SourceRow[]> {
  const path = join(folder, 'source');
  await writeFile(path, content);
  return Array.fromAsync(readSource(linesFile(path, base)));
}

/** All rows must name images. */
async function read(content: string | Buffer, base?: string): Promise<ImageRef[]> {
  return (await readRows(content, base)).map((row) => {
    if ('image' in row) return row.image;
    throw new Error(`line ${row.line}: ${row.problem}`);
  });
}

const A = 'https://host.example/a.jpg';
const B = 's3://bucket/b c.jpg';
const AB = [
  { id: A, url: A },
  { id: B, url: B },
];

describe('reads', () => {
  test.each<[what: string, content: string, images: ImageRef[]]>([
    ['a URL a line', `${A}\n${B}\n`, AB],
    ['a last line without its end', `${A}\n${B}`, AB],
    ['Windows line ends', `${A}\r\n${B}\r\n`, AB],
    ['empty lines and white space around', `\n  ${A}\t\n \n\n${B} \n`, AB],
    ['a byte order mark', `\uFEFF${A}\n${B}\n`, AB],
    ['a byte order mark before JSON', `\uFEFF{"url":"${A}"}\n`, [{ id: A, url: A }]],
    ['JSON a line', `{"url":"${A}"}\n{"url":"${B}"}\n`, AB],
    ['both kinds of lines', `${A}\n{"url":"${B}"}\n`, AB],
    [
      'ids and meta',
      `{"id":"row-1","url":"${A}","meta":{"sku":"X1","tags":["a"]}}\n`,
      [{ id: 'row-1', url: A, meta: { sku: 'X1', tags: ['a'] } }],
    ],
    [
      'line separators that JSON has within its strings',
      `{"id":"a\u2028b\u2029c\u0085d","url":"${A}"}\n`,
      [{ id: 'a\u2028b\u2029c\u0085d', url: A }],
    ],
    ['an empty file', '', []],
    ['a file of empty lines', '\n\r\n\n', []],
  ])('%s', async (_what, content, images) => {
    expect(await read(content)).toEqual(images);
  });

  test('relative URLs, when there is a base', async () => {
    const content = `photos/a.jpg\n{"url":"/b.jpg","id":"b"}\n${A}\nphotos/a b.jpg\n${B}\n`;
    expect(await read(content, 'http://127.0.0.1:8080/samples/')).toEqual([
      { id: 'http://127.0.0.1:8080/samples/photos/a.jpg', url: 'http://127.0.0.1:8080/samples/photos/a.jpg' },
      { id: 'b', url: 'http://127.0.0.1:8080/b.jpg' },
      { id: A, url: A },
      { id: 'http://127.0.0.1:8080/samples/photos/a%20b.jpg', url: 'http://127.0.0.1:8080/samples/photos/a%20b.jpg' },
      { id: B, url: B },
    ]);
  });

  test('many lines, completely and in order', async () => {
    const images = await read(Array.from({ length: 50_000 }, (_, line) => `https://host.example/${line}`).join('\n'));
    expect(images).toHaveLength(50_000);
    expect(images.every(({ url }, line) => url === `https://host.example/${line}`)).toBe(true);
  });
});

describe('reports which line is invalid, and why:', () => {
  test.each<[what: string, line: string, reason: RegExp]>([
    ['no URL', 'hello', /expected a http, https or s3 URL, got "hello"/],
    ['another scheme', 'ftp://host.example/a.jpg', /expected a http, https or s3 URL, got "ftp:/],
    ['a URL without host', 'https://', /expected a http, https or s3 URL/],
    ['JSON that is cut off', `{"url":"${A}"`, /expected a URL or a JSON object, got "{/],
    ['JSON without url', '{"id":"a"}', /url/],
    ['a url that is no text', '{"url":5}', /url: expected a text, got a number/],
    ['an id that is no text', `{"url":"${A}","id":5}`, /id: expected a text, got a number/],
    ['an empty id', `{"url":"${A}","id":""}`, /id: expected at least 1 character, got 0/],
    [
      'an id that is too long',
      `{"url":"${A}","id":"${'i'.repeat(MAX_ID_CHARS + 1)}"}`,
      /id: expected at most 2048 characters, got 2049/,
    ],
    ['meta that is no object', `{"url":"${A}","meta":"X1"}`, /meta: expected an object/],
    ['a typo', `{"url":"${A}","mata":{}}`, /unknown field "mata"/],
    ['a URL that is too long', `https://h/${'x'.repeat(MAX_URL_CHARS)}`, /url: expected at most 8192 characters/],
    ['a URL that is too long to be an id', `https://h/${'x'.repeat(MAX_ID_CHARS)}`, /expected an id beside a URL/],
    [
      'meta as deep as the line is long',
      `{"url":"${A}","meta":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`,
      /32 levels/,
    ],
  ])('%s', async (_what, line, reason) => {
    const rows = await readRows(`${A}\r\n\r\n${line}\r\n${A}\r\n`);
    expect(rows.map((row) => row.line)).toEqual([1, 3, 4]);
    expect(rows[1]).toEqual({ line: 3, text: line, problem: expect.stringMatching(reason) });
  });

  test('a relative URL when there is no base', async () => {
    await expect(read('photos/a.jpg')).rejects.toThrow(
      /^line 1: expected a http, https or s3 URL, got "photos\/a.jpg"/,
    );
  });

  test('a URL that cannot be resolved, though there is a base', async () => {
    await expect(read(`${A}\n//[\n`, 'http://127.0.0.1:8080/')).rejects.toThrow(
      /^line 2: expected a http, https or s3 URL, got "\/\/\["/,
    );
  });
});

test('a missing file is an error', async () => {
  await expect(Array.fromAsync(readSource(linesFile(join(folder, 'missing'))))).rejects.toThrow(/ENOENT.*missing/);
});
