import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const PAGE = join(import.meta.dirname, '../page');

/** Content types by file extension. */
const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.webmanifest', 'application/manifest+json'],
]);

/** A path below `dashboard/page`: plain names only, so that none leaves the folder. */
const PLAIN_PATH = /^(?:[a-z0-9][a-z0-9-]*\/)*[a-z0-9][a-z0-9.-]*$/;

/** Files of packages that the page loads unchanged; not all are in the packages' exports. */
const VENDOR = new Map<string, () => string>([
  ['vendor/chart.js', () => besideMain('chart.js', 'chart.umd.min.js')],
  ['vendor/preact.js', () => besideMain('preact', 'preact.mjs')],
]);

function besideMain(name: string, file: string): string {
  return join(dirname(createRequire(import.meta.url).resolve(name)), file);
}

type Coding = 'br' | 'gzip' | 'identity';

/** A file as sent to a browser. */
export type Asset = { type: string; etag: string; bodies: Record<Coding, Buffer> };

/** The files of the page, each read and compressed at its first request. */
export class Assets {
  readonly #loading = new Map<string, Promise<Asset | undefined>>();

  /**
   * @param path below `/assets/`
   * @returns undefined where there is no such file
   */
  get(path: string): Promise<Asset | undefined> {
    const file = fileOf(path);
    if (file === undefined) return Promise.resolve(undefined);
    let loading = this.#loading.get(path);
    if (loading === undefined) {
      loading = load(file, extname(path));
      this.#loading.set(path, loading);
      // Missing files are not cached: paths are untrusted.
      loading.then((asset) => asset ?? this.#loading.delete(path)).catch(() => this.#loading.delete(path));
    }
    return loading;
  }
}

function fileOf(path: string): string | undefined {
  const vendor = VENDOR.get(path);
  if (vendor !== undefined) return vendorFile(vendor);
  return PLAIN_PATH.test(path) && TYPES.has(extname(path)) ? join(PAGE, path) : undefined;
}

/** Undefined for a package that is not installed. */
function vendorFile(locate: () => string): string | undefined {
  try {
    return locate();
  } catch {
    return undefined;
  }
}

/** @param ending of the path that it is served at: the package's own file may have another name */
async function load(file: string, ending: string): Promise<Asset | undefined> {
  const read = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
  if (read === undefined) return undefined;
  // Removes the reference to a source map, which is not served.
  const identity = ending === '.js' ? Buffer.from(read.toString().replace(/^\/\/# sourceMappingURL=.*$/m, '')) : read;
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(identity, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    promisify(gzip)(identity, { level: 9 }),
  ]);
  const etag = `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`;
  return { type: TYPES.get(ending) ?? 'application/octet-stream', etag, bodies: { br, gzip: zipped, identity } };
}

/** The smallest encoding that the browser accepts. */
export function codingFor(acceptEncoding: string): Coding {
  const offered = new Set(acceptEncoding.split(',').map((coding) => coding.split(';')[0]?.trim().toLowerCase()));
  if (offered.has('br')) return 'br';
  return offered.has('gzip') ? 'gzip' : 'identity';
}
