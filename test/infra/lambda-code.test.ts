/** Where packaged code comes from. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { LambdaCode } from '../../infra/index.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { leftByKilledProcess, namedInAnotherContainer } from '../support/left-behind.ts';

/** The end record of a zip without entries: no test runs these functions. */
const ZIP = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');
const SHA256 = createHash('sha256').update(ZIP).digest('hex');

/** Downloads keep this thread waiting, so the server has another one. It counts requests in its paths: `/count`. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
let downloads = 0;
createServer((request, response) => {
  if (request.url === '/count') return response.end(String(downloads));
  downloads++;
  if (request.url === '/missing.zip') return response.writeHead(404).end();
  if (request.url === '/cut.zip') {
    response.writeHead(200, { 'content-length': '1000' }).write('PK');
    return setTimeout(() => response.destroy(), 50);
  }
  response.end(Buffer.from(workerData));
}).listen(0, '127.0.0.1', function () {
  parentPort.postMessage(this.address().port);
});
`;

let server: Worker;
let origin: string;
let folder: TemporaryFolder;
beforeAll(async () => {
  server = new Worker(SERVER, { eval: true, workerData: ZIP });
  const [port] = await once(server, 'message');
  origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await server.terminate();
});
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

const cacheFolder = () => join(folder.path, 'cache');
const release = (name: string, sha256 = SHA256) =>
  LambdaCode.fromRelease({ url: `${origin}/${name}`, sha256, cacheFolder: cacheFolder() });
const downloads = async () => Number(await (await fetch(`${origin}/count`)).text());

/** Uses a release in a process of its own, with another home folder. */
async function releaseOfProcess(environment: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  const infra = pathToFileURL(join(import.meta.dirname, '../../infra/index.ts')).href;
  const script = `import { LambdaCode } from ${JSON.stringify(infra)};
    const [url, sha256] = process.argv.slice(1);
    try { console.log(LambdaCode.fromRelease({ url, sha256 }).path); } catch (error) { console.error(error.message); }`;
  const args = ['--input-type=module', '--no-warnings', '--eval', script, '--', `${origin}/classify.zip`, SHA256];
  const { PATH } = process.env;
  return promisify(execFile)(process.execPath, args, { cwd: folder.path, env: { PATH, ...environment } });
}

/** The file or folder that a deploy would upload. */
const pathOf = (code: Code) => (code as AssetCode).path;

describe('a release', () => {
  test('is downloaded once, and used from the cache', async () => {
    const before = await downloads();
    expect(await readFile(pathOf(release('classify.zip')))).toEqual(ZIP);
    release('classify.zip');
    expect((await downloads()) - before).toBe(1);
    expect(await readdir(cacheFolder())).toEqual([`${SHA256}.zip`]);
  });

  test('with another hash is refused in one line that says what to do, and not kept', async () => {
    const other = 'a'.repeat(64);
    expect(() => release('classify.zip', other)).toThrow(
      `the worker package at ${origin}/classify.zip has the SHA-256 ${SHA256}, expected ${other}: take URL and hash from the same release; it was not used`,
    );
    expect(await readdir(cacheFolder())).toEqual([]);
  });

  test('that is damaged in the cache is downloaded again', async () => {
    await mkdir(cacheFolder());
    await writeFile(join(cacheFolder(), `${SHA256}.zip`), 'damaged');
    const before = await downloads();
    release('classify.zip');
    expect((await downloads()) - before).toBe(1);
  });

  test('leaves the downloads of other containers alone, and removes what killed processes left here', async () => {
    await mkdir(cacheFolder());
    const zip = join(cacheFolder(), `${SHA256}.zip`);
    const [ours, theirs] = [leftByKilledProcess(zip), namedInAnotherContainer(zip)];
    for (const path of [ours, theirs]) await writeFile(path, 'PK');
    release('classify.zip');
    expect((await readdir(cacheFolder())).sort()).toEqual([`${SHA256}.zip`, basename(theirs)]);
  });

  test('is kept in the cache folder of the user, whose owner is checked', async () => {
    const environment = { HOME: folder.path, XDG_CACHE_HOME: 'relative' };
    const cached = join(folder.path, '.cache/labelqueue/packages', `${SHA256}.zip`);
    expect(await releaseOfProcess(environment)).toEqual({ stdout: `${cached}\n`, stderr: '' });
    expect(await readFile(cached)).toEqual(ZIP);
    await chmod(join(folder.path, '.cache/labelqueue'), 0o777);
    expect((await releaseOfProcess(environment)).stderr).toContain('to be writable by its owner only, found');
  });

  test.each([
    ['missing.zip', 'the server answered with status 404'],
    ['cut.zip', ''],
  ])('that cannot be downloaded, %s, is refused and not kept', async (name, reason) => {
    expect(() => release(name)).toThrow(`the worker package could not be downloaded from ${origin}/${name}: ${reason}`);
    expect(await readdir(cacheFolder())).toEqual([]);
  });

  test.each([
    [{ url: 'ftp://host/classify.zip', sha256: SHA256 }, 'expected the http(s) URL of a worker package'],
    [
      { url: 'https://host/classify.zip', sha256: 'latest' },
      'expected the SHA-256 of the worker package, 64 hex digits',
    ],
  ])('%j is refused before anything is asked for', (given, problem) => {
    expect(() => LambdaCode.fromRelease({ ...given, cacheFolder: cacheFolder() })).toThrow(problem);
  });
});

describe('a path', () => {
  test('may be a zip, or a folder with what is in the zip', async () => {
    const zip = await folder.write('classify.zip', ZIP);
    expect(pathOf(LambdaCode.fromPath(zip))).toBe(zip);
    await mkdir(join(folder.path, 'unpacked'));
    await folder.write('unpacked/index.mjs', 'export {}');
    const unpacked = join(folder.path, 'unpacked');
    expect(pathOf(LambdaCode.fromPath(unpacked))).toBe(unpacked);
  });

  test('where there is nothing is refused with what to do', () => {
    const path = join(folder.path, 'nothing.zip');
    expect(() => LambdaCode.fromPath(path)).toThrow(
      `there is no worker package at ${path}: make one with npm run package`,
    );
  });

  test('of something else is refused', async () => {
    const text = await folder.write('notes.txt', 'not a zip');
    for (const path of [text, folder.path]) {
      expect(() => LambdaCode.fromPath(path)).toThrow(
        'expected the zip of a worker package, or a folder with its index.mjs',
      );
    }
  });
});
