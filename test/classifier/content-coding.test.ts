import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeContent } from '../../shared/classifier/fetch/content-coding.ts';
import { MAX_CONTENT_CODINGS, MAX_IMAGE_BYTES } from '../../shared/contract/limits.ts';
import { codeOf } from './fetch-setup.ts';

const PICTURE = Buffer.from([
  0xff,
  0xd8,
  0xff,
  0xe0,
  ...Array.from({ length: 5_000 }, (_, index) => (index * 7) % 256),
]);
const ZEROS = Buffer.alloc(MAX_IMAGE_BYTES + 1);

const ENCODERS: [coding: string, encode: (bytes: Uint8Array) => Buffer][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ['zstd', zstdCompressSync],
];

/** As AWS's clients frame an upload, with a signature a chunk. */
function awsChunks(bytes: Buffer, size: number, trailer = ''): Buffer {
  const signature = `;chunk-signature=${'a'.repeat(64)}\r\n`;
  const parts: (Buffer | string)[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size);
    parts.push(chunk.length.toString(16), signature, chunk, '\r\n');
  }
  parts.push('0', signature, trailer, '\r\n');
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

describe('decodes a body', () => {
  test.each<[header: string | undefined, body: Buffer]>([
    [undefined, PICTURE],
    ['', PICTURE],
    ['identity', PICTURE],
    ['none', PICTURE],
    ['utf-8', PICTURE],
    ['UTF-8', PICTURE],
    ['binary', PICTURE],
    ['ISO-8859-1', PICTURE],
    ['image/jpeg', PICTURE],
    ['GZIP', gzipSync(PICTURE)],
    ['x-gzip', gzipSync(PICTURE)],
    ['gzip, identity', gzipSync(PICTURE)],
    ['gzip, gzip', gzipSync(gzipSync(PICTURE))],
    ['deflate', deflateRawSync(PICTURE)],
    ['deflate', deflateSync(PICTURE)],
    ['aws-chunked', PICTURE],
    ['aws-chunked', awsChunks(PICTURE, 1_000)],
    ['aws-chunked', awsChunks(PICTURE, 8_192, 'x-amz-checksum-crc32:AAAAAA==\r\n')],
    ['aws-chunked,gzip', gzipSync(PICTURE)],
    ['aws-chunked,gzip', awsChunks(gzipSync(PICTURE), 100)],
    ['gzip,aws-chunked', awsChunks(gzipSync(PICTURE), 100)],
  ])('whose Content-Encoding is %p', async (header, body) => {
    expect(await decodeContent(body, header)).toEqual(PICTURE);
  });

  test.each<[behind: string, body: Buffer]>([
    ['line ends', Buffer.concat([gzipSync(PICTURE), Buffer.from('\r\n\r\n')])],
    ['zeros', Buffer.concat([gzipSync(PICTURE), Buffer.alloc(512)])],
    ['another member', Buffer.concat([gzipSync(PICTURE.subarray(0, 99)), gzipSync(PICTURE.subarray(99))])],
    [
      'another member and line ends',
      Buffer.concat([gzipSync(PICTURE.subarray(0, 99)), gzipSync(PICTURE.subarray(99)), Buffer.from('\n')]),
    ],
    ['no trailer', gzipSync(PICTURE).subarray(0, -8)],
    ['half a trailer', gzipSync(PICTURE).subarray(0, -4)],
    ['a header of every kind', Buffer.concat([gzipWithEveryField(PICTURE), Buffer.from('rest')])],
  ])('of gzip with %s behind it', async (_behind, body) => {
    expect(await decodeContent(body, 'gzip')).toEqual(PICTURE);
  });

  test('with up to the permitted number of codings', async () => {
    const stack = fc.array(fc.constantFrom(...ENCODERS), { maxLength: MAX_CONTENT_CODINGS });
    await fc.assert(
      fc.asyncProperty(stack, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (encoders, bytes) => {
        const body = encoders.reduce<Buffer>((inner, [, encode]) => encode(inner), Buffer.from(bytes));
        const header = encoders.map(([coding]) => coding).join(', ');
        expect(await decodeContent(body, header)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 60 },
    );
  });
});

function manyMembers(count: number): Buffer {
  return Buffer.concat(Array(count).fill(gzipSync('a')));
}

/** RFC 1952 with FEXTRA, FNAME, FCOMMENT and FHCRC. */
function gzipWithEveryField(bytes: Buffer): Buffer {
  const plain = gzipSync(bytes);
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = 2 | 4 | 8 | 16;
  const fields = Buffer.from([3, 0, 1, 2, 3, ...Buffer.from('name\0comment\0'), 0, 0]);
  return Buffer.concat([header, fields, plain.subarray(10)]);
}

test('takes hundreds of gzip members with bytes behind them', async () => {
  const body = Buffer.concat([manyMembers(400), Buffer.from('rest')]);
  expect(await decodeContent(body, 'gzip')).toEqual(Buffer.alloc(400, 'a'));
});

test('leaves a body of too many chunks as it is: each costs memory', async () => {
  const body = awsChunks(Buffer.alloc(20_000), 1);
  expect(await decodeContent(body, 'aws-chunked')).toEqual(body);
});

describe('refuses', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'zip', 'gzip, __proto__', 'x'.repeat(9_999)])(
    'the coding %.40s as invalid_response',
    async (header) => {
      const outcome = await decodeContent(PICTURE, header);
      expect(codeOf(outcome)).toBe('invalid_response');
      expect((outcome as { message: string }).message.length).toBeLessThan(150);
    },
  );

  test('an unknown coding without passing its control characters on', async () => {
    const outcome = await decodeContent(PICTURE, 'a\u009b31mb\u001b');
    expect(outcome).toHaveProperty('message', expect.stringMatching(/got a\*31mb\*$/));
  });

  test('more codings than are permitted as invalid_response', async () => {
    const header = Array(MAX_CONTENT_CODINGS + 1)
      .fill('gzip')
      .join();
    expect(codeOf(await decodeContent(PICTURE, header))).toBe('invalid_response');
  });

  test.each(ENCODERS)('what is too large after %s as too_large', async (coding, encode) => {
    expect(codeOf(await decodeContent(encode(ZEROS), coding))).toBe('too_large');
  });

  test('what becomes too large at any stage as too_large', async () => {
    const inner = gzipSync(gzipSync(ZEROS));
    expect(codeOf(await decodeContent(inner, 'gzip, gzip'))).toBe('too_large');
    expect(codeOf(await decodeContent(gzipSync(inner), 'gzip, gzip, gzip'))).toBe('too_large');
  });

  test('members of gzip that are too large together as too_large, whatever stands behind them', async () => {
    const half = gzipSync(ZEROS.subarray(0, MAX_IMAGE_BYTES / 2 + 1));
    expect(codeOf(await decodeContent(Buffer.concat([half, half]), 'gzip'))).toBe('too_large');
    expect(codeOf(await decodeContent(Buffer.concat([half, half, Buffer.from('rest')]), 'gzip'))).toBe('too_large');
  });

  test.each<[what: string, coding: string, body: Buffer]>([
    ['a cut gzip', 'gzip', gzipSync(PICTURE).subarray(0, 60)],
    ['a gzip whose checksum is wrong', 'gzip', withWrongChecksum(gzipSync(PICTURE))],
    ['thousands of gzip members with bytes behind them', 'gzip', Buffer.concat([manyMembers(2_000), Buffer.from('x')])],
    ['a picture that is said to be gzip', 'gzip', PICTURE],
    ['a picture that is said to be deflate', 'deflate', PICTURE],
    ['a cut zstd', 'zstd', zstdCompressSync(PICTURE).subarray(0, 60)],
    ['no zstd', 'zstd', PICTURE],
    ['no brotli', 'br', PICTURE],
    ['an empty gzip', 'gzip', Buffer.alloc(0)],
  ])('%s with the error of the decoder', async (_what, coding, body) => {
    await expect(decodeContent(body, coding)).rejects.toHaveProperty('code', expect.stringMatching(/^(Z_|ERR_|ZSTD_)/));
  });
});

function withWrongChecksum(zipped: Buffer): Buffer {
  const broken = Buffer.from(zipped);
  broken.writeUInt32LE(1, zipped.length - 8);
  return broken;
}

test.each([
  ['a body that only begins like a chunk', Buffer.from('10;chunk-signature=a\r\nshort\r\n')],
  ['a chunk without its line end', Buffer.from('5\r\nhello, world')],
  ['a body without a last chunk', awsChunks(PICTURE, 1_000).subarray(0, 3_000)],
])('leaves %s as it is', async (_what, body) => {
  expect(await decodeContent(body, 'aws-chunked')).toEqual(body);
});
