import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { UserError } from '../shared/contract/user-error.ts';
import { makeFolder } from '../shared/runtime/make-folder.ts';
import { abandonedBeside, nameBeside } from '../shared/runtime/unfinished.ts';
import { cacheFolder as userCacheFolder } from '../shared/runtime/user-folders.ts';

/** A packaged worker that is missing, or that is not the expected one. */
export class LambdaCodeError extends UserError {
  override readonly name = 'LambdaCodeError';
}

/** A package of a release. */
export interface LabelQueueRelease {
  /** http(s) URL of the zip. */
  readonly url: string;
  /** SHA-256 of the zip, as the release states it: 64 hex digits. */
  readonly sha256: string;
  /** Where zips are kept. @default - `labelqueue/packages` in the user's cache folder */
  readonly cacheFolder?: string;
}

/** Bytes that Lambda takes unpacked; a zip with more is not a package. */
const MAX_ZIP_BYTES = 262_144_000;
const DOWNLOAD_TIMEOUT_MS = 15 * 60_000;

/** Where the packaged worker comes from. */
// biome-ignore lint/complexity/noStaticOnlyClass: a class of factories is what the CDK has for code, buckets and images
export class LambdaCode {
  /**
   * @param path zip that `npm run package` made or a release has, or a folder with its content
   * @throws {LambdaCodeError} when there is nothing at the path, or something else
   */
  static fromPath(path: string): Code {
    const whole = resolve(path);
    if (!existsSync(whole)) {
      throw new LambdaCodeError(
        `there is no worker package at ${whole}: make one with npm run package, or use LambdaCode.fromRelease`,
      );
    }
    if (!isPackage(whole)) {
      throw new LambdaCodeError(`expected the zip of a worker package, or a folder with its index.mjs, at ${whole}`);
    }
    return Code.fromAsset(whole);
  }

  /**
   * Downloads a release's package once, while the app is synthesized, and checks its hash each time.
   *
   * @throws {LambdaCodeError} when it cannot be downloaded, or has another hash
   */
  static fromRelease(release: LabelQueueRelease): Code {
    return Code.fromAsset(downloaded(release));
  }
}

function isPackage(path: string): boolean {
  if (statSync(path).isDirectory()) return existsSync(join(path, 'index.mjs'));
  return firstBytes(path, 2).toString('latin1') === 'PK';
}

function downloaded({ url, sha256, cacheFolder = defaultCacheFolder() }: LabelQueueRelease): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new LambdaCodeError(
      `expected the SHA-256 of the worker package, 64 hex digits, got ${JSON.stringify(sha256)}`,
    );
  }
  const path = join(cacheFolder, `${sha256}.zip`);
  if (existsSync(path) && sha256Of(path) === sha256) return path;
  makeFolder(cacheFolder);
  const partial = nameBeside(path);
  try {
    beginFile(partial, path);
    download(url, partial);
    const got = sha256Of(partial);
    if (got !== sha256) {
      throw new LambdaCodeError(
        `the worker package at ${withoutSecrets(url)} has the SHA-256 ${got}, expected ${sha256}: take URL and hash from the same release; it was not used`,
      );
    }
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
  return path;
}

function defaultCacheFolder(): string {
  return join(userCacheFolder(), 'packages');
}

/** As `createFolderAtomically` does, which cannot be awaited here; the download itself keeps the file fresh. */
function beginFile(partial: string, path: string): void {
  writeFileSync(partial, '', { flag: 'wx' });
  const now = statSync(partial).ctimeMs;
  for (const abandoned of abandonedBeside(path, now)) {
    try {
      rmSync(abandoned, { force: true });
    } catch {
      // It may belong to another user.
    }
  }
}

/** Constructs are made without waiting, so a process of its own does the waiting. */
const DOWNLOAD = `
  import { createWriteStream } from 'node:fs';
  import { Readable } from 'node:stream';
  import { pipeline } from 'node:stream/promises';
  const [url, path, most] = process.argv.slice(1);
  let bytes = 0;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error('the server answered with status ' + response.status);
    await pipeline(Readable.fromWeb(response.body), async function* (chunks) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > Number(most)) throw new Error('it has more than ' + most + ' bytes');
        yield chunk;
      }
    }, createWriteStream(path));
  } catch (error) {
    createWriteStream('', { fd: 1 }).end(String(error.cause?.message || error.message));
    process.exitCode = 1;
  }
`;

function download(url: string, path: string): void {
  if (!/^https?:\/\//.test(url)) {
    throw new LambdaCodeError(
      `expected the http(s) URL of a worker package, got ${JSON.stringify(withoutSecrets(url))}`,
    );
  }
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', DOWNLOAD, '--', url, path, String(MAX_ZIP_BYTES)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: DOWNLOAD_TIMEOUT_MS },
  );
  if (status === 0) return;
  const reason = stdout || `it took longer than ${DOWNLOAD_TIMEOUT_MS / 60_000} minutes`;
  throw new LambdaCodeError(
    `the worker package could not be downloaded from ${withoutSecrets(url)}: ${reason}; check the URL and the network, or download it yourself and use LambdaCode.fromPath`,
  );
}

/** Signed URLs have their secret behind the path; others may have a password before the host. */
function withoutSecrets(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url.replace(/[?#].*/s, '') : `${parsed.origin}${parsed.pathname}`;
}

const CHUNK_BYTES = 1_048_576;

function sha256Of(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk))
      hash.update(chunk.subarray(0, bytes));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function firstBytes(path: string, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return bytes;
}
