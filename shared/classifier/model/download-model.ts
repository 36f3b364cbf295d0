import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { createFolderAtomically } from '../../runtime/atomic-folder.ts';
import { isInnerPath } from './inner-path.ts';
import { ModelFolderError } from './model-folder-error.ts';

/** The list of a model's files with their hashes, in the format of the command `sha256sum`. */
const SUMS = 'SHA256SUMS';
/** A list has about a hundred bytes per file, and few files. */
const MAX_SUMS_BYTES = 100_000;

/**
 * Downloads a model folder from S3, unless it was downloaded before. It downloads the files listed in `SHA256SUMS`, whose own hash
 * is given and so determines every byte of the model.
 *
 * @param uri `s3://bucket/prefix/`
 * @param sha256 of `SHA256SUMS`, in hex
 * @param temporary a folder with room for the model
 * @returns the path of the complete folder
 * @throws {ModelFolderError} when a file is missing or does not match its hash
 */
export async function downloadModel(s3: S3Client, uri: string, sha256: string, temporary: string): Promise<string> {
  const place = join(temporary, `labelqueue-model-${sha256}`);
  await createFolderAtomically(place, async (folder) => {
    const sums = await readSums(s3, uri, sha256);
    await Promise.all([...sums].map(([name, hash]) => downloadFile(s3, { uri, name, sha256: hash, folder })));
  });
  return place;
}

async function readSums(s3: S3Client, uri: string, sha256: string): Promise<Map<string, string>> {
  let text = '';
  for await (const chunk of await open(s3, uri, SUMS)) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length > MAX_SUMS_BYTES) throw new ModelFolderError(`${uri}${SUMS}: expected a short list of files`);
  }
  const found = createHash('sha256').update(text, 'latin1').digest('hex');
  if (found !== sha256) throw wrongHash(`${uri}${SUMS}`, `MODEL_SHA256=${sha256}`, found);
  return parseSums(Buffer.from(text, 'latin1').toString('utf8'), `${uri}${SUMS}`);
}

function parseSums(text: string, where: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const { hash, name } = /^(?<hash>[0-9a-f]{64}) [ *](?:\.\/)?(?<name>.+)$/.exec(line)?.groups ?? {};
    if (hash === undefined || name === undefined || !isInnerPath(name)) {
      throw new ModelFolderError(
        `${where}: expected lines as "sha256sum FILE…" writes them, with paths inside the model's folder, got ${JSON.stringify(line)}`,
      );
    }
    sums.set(name, hash);
  }
  return sums;
}

/** A file of a model in S3, and the folder that it is downloaded to. */
type ModelFile = { uri: string; name: string; sha256: string; folder: string };

async function downloadFile(s3: S3Client, { uri, name, sha256, folder }: ModelFile): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  await pipeline(
    await open(s3, uri, name),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  const found = hash.digest('hex');
  if (found !== sha256) throw wrongHash(`${uri}${name}`, `${sha256} from ${SUMS}`, found);
}

async function open(s3: S3Client, uri: string, name: string): Promise<Readable> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(uri) ?? [];
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${name}` }));
    return Body instanceof Readable ? Body : Readable.from([]);
  } catch (cause) {
    if (!(cause instanceof S3ServiceException)) throw cause;
    throw new ModelFolderError(`${uri}${name}: expected a file of the model, S3 answered ${cause.name}`, { cause });
  }
}

function wrongHash(where: string, expected: string, found: string): ModelFolderError {
  return new ModelFolderError(
    `${where}: expected the SHA-256 ${expected}, got ${found}: the download is discarded. ` +
      `Upload the model again, or set MODEL_SHA256 to what "sha256sum ${SUMS}" prints`,
  );
}
