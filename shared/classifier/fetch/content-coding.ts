import { promisify } from 'node:util';
import {
  brotliDecompress,
  constants,
  crc32,
  gunzip,
  type InflateRaw,
  inflate,
  inflateRaw,
  zstdDecompress,
} from 'node:zlib';
import { ImageFailure } from '../../contract/error-codes.ts';
import { MAX_CONTENT_CODINGS, MAX_IMAGE_BYTES } from '../../contract/limits.ts';
import { withoutAwsChunks } from './aws-chunks.ts';
import { tooLarge } from './body-bytes.ts';

type Decoder = (bytes: Buffer) => Promise<Buffer>;

/** Each stage ends with ERR_BUFFER_TOO_LARGE once its output exceeds the limit: expanded data is never held as a whole. */
const BOUNDED = { maxOutputLength: MAX_IMAGE_BYTES, chunkSize: 256 * 1_024 };
/** RFC 9659: receivers of the zstd coding must support a window of 8 MiB. The default limit of zstd is 128 MiB. */
const ZSTD = { ...BOUNDED, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE';

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === TOO_LARGE;
}

const unbrotli = promisify(brotliDecompress);
const unzstd = promisify(zstdDecompress);
const unzlib = promisify(inflate);
const unraw = promisify(inflateRaw);
const ungzip = promisify(gunzip);

/** Bytes after the last member are ignored; Node takes them for a damaged member. */
const decodeGzip: Decoder = async (bytes) => {
  try {
    return await ungzip(bytes, BOUNDED);
  } catch (error) {
    if (isTooLarge(error)) throw error;
    return membersOfGzip(bytes).catch((other) => Promise.reject(isTooLarge(other) ? other : error));
  }
};

/** RFC 9110 specifies the zlib format; some servers send raw deflate, which all browsers accept. */
const decodeDeflate: Decoder = (bytes) =>
  unzlib(bytes, BOUNDED).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'Z_DATA_ERROR') throw error;
    return unraw(bytes, BOUNDED);
  });

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', decodeGzip],
  ['x-gzip', decodeGzip],
  ['deflate', decodeDeflate],
  ['br', (bytes) => unbrotli(bytes, BOUNDED)],
  ['zstd', (bytes) => unzstd(bytes, ZSTD)],
  // S3 keeps the name of the framing on objects whose framing it has removed.
  ['aws-chunked', async (bytes) => withoutAwsChunks(bytes)],
]);

/** Values that servers send without any coding: a character set, a media type, a mail transfer encoding. */
const NO_CODING =
  /^(|identity|none|null|undefined|raw|plain|binary|[78]bit|utf-?\d+|(us-)?ascii|iso-8859-\d+|latin-?1|windows-\d+|image\/.*)$/;

/**
 * Decodes the content codings of a body.
 *
 * @param contentEncoding the header; untrusted
 * @throws the errors of zlib if the bytes do not match the header
 */
export async function decodeContent(
  bytes: Buffer,
  contentEncoding: string | undefined,
): Promise<Buffer | ImageFailure> {
  const decoders = decodersOf(contentEncoding);
  if (decoders instanceof ImageFailure) return decoders;
  let decoded = bytes;
  try {
    // The coding that was applied last is last.
    for (const decode of decoders.toReversed()) decoded = await decode(decoded);
    return decoded;
  } catch (error) {
    if (isTooLarge(error)) return tooLarge('more');
    throw error;
  }
}

/** In the order in which they were applied. */
function decodersOf(contentEncoding = ''): Decoder[] | ImageFailure {
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !NO_CODING.test(coding));
  if (codings.length > MAX_CONTENT_CODINGS) {
    return new ImageFailure('invalid_response', `expected at most ${MAX_CONTENT_CODINGS} content codings, got more`);
  }
  const unknown = codings.find((coding) => !DECODERS.has(coding));
  if (unknown !== undefined) {
    return new ImageFailure(
      'invalid_response',
      `expected Content-Encoding identity, gzip, deflate, br or zstd, got ${unknown.slice(0, 40).replaceAll(/[^!-~]/g, '*')}`,
    );
  }
  // The framing is always outermost: AWS clients write its name first and apply it last.
  return [...codings.filter((coding) => coding !== 'aws-chunked'), 'aws-chunked']
    .filter((coding) => codings.includes(coding))
    .map((coding) => DECODERS.get(coding) as Decoder);
}

/** Three times as many as an image has in blocks of bgzip: each member costs a call to zlib, however small it is. */
const MAX_MEMBERS = 1_000;

/** RFC 1952: a body may consist of several members; bytes after them are ignored. */
async function membersOfGzip(bytes: Buffer): Promise<Buffer> {
  const members: Buffer[] = [];
  let start = 0;
  let length = 0;
  for (let data = startOfData(bytes, 0); data !== undefined; data = startOfData(bytes, start)) {
    const { buffer, engine } = await inflateMember(bytes.subarray(data));
    const trailer = data + engine.bytesWritten;
    // Browsers accept a missing trailer of the last member if its data is complete.
    const whole = trailer + 8 <= bytes.length;
    if (whole && bytes.readUInt32LE(trailer) !== crc32(buffer)) throw new Error('a broken member');
    if (members.length === MAX_MEMBERS) throw new Error('too many members');
    length += buffer.length;
    if (length > MAX_IMAGE_BYTES) throw Object.assign(new Error('more than one image'), { code: TOO_LARGE });
    members.push(buffer);
    start = trailer + 8;
  }
  if (members.length === 0) throw new Error('not one member');
  return Buffer.concat(members, length);
}

/** Not `promisify`: with `info` the result is an object. */
function inflateMember(bytes: Buffer): Promise<{ buffer: Buffer; engine: InflateRaw }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ buffer: Buffer; engine: InflateRaw }>();
  inflateRaw(bytes, { ...BOUNDED, info: true }, (error, result) => {
    if (error !== null) reject(error);
    else resolve(result as unknown as { buffer: Buffer; engine: InflateRaw });
  });
  return promise;
}

const HEADER_BYTES = 10;
const [HAS_CRC, HAS_EXTRA, HAS_NAME, HAS_COMMENT] = [2, 4, 8, 16];

/** The start of the deflated data of the member at `start`; undefined when there is no member. */
function startOfData(bytes: Buffer, start: number): number | undefined {
  if (start + HEADER_BYTES > bytes.length || bytes.readUInt16BE(start) !== 0x1f8b) return undefined;
  const flags = bytes[start + 3] as number;
  let at = start + HEADER_BYTES;
  if (flags & HAS_EXTRA) at += 2 + (at + 2 <= bytes.length ? bytes.readUInt16LE(at) : 0);
  for (const text of [HAS_NAME, HAS_COMMENT]) {
    if (!(flags & text)) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) return undefined;
    at = end + 1;
  }
  if (flags & HAS_CRC) at += 2;
  return at < bytes.length ? at : undefined;
}
