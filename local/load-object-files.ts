import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { S3Store, StoredObject, StoredPart, StoredUpload } from './fauxqs-parts.ts';
import { checkObjectKey, objectPath } from './object-key.ts';
import { isUnfinished } from './replace-file.ts';

const META_ENDING = '.meta.json';

const DATE = z.iso.datetime().transform((text) => new Date(text));
const TEXTS = z.record(z.string(), z.string());
const BUCKET = z.object({ creationDate: DATE, type: z.enum(['general-purpose', 'directory']) });
const OBJECT = z.looseObject({
  key: z.string(),
  contentType: z.string(),
  contentLength: z.int().nonnegative(),
  etag: z.string(),
  lastModified: DATE,
  metadata: TEXTS,
});
const UPLOAD = z.looseObject({
  uploadId: z.string(),
  bucket: z.string(),
  key: z.string(),
  contentType: z.string(),
  metadata: TEXTS,
  initiated: DATE,
});
const PART = z.looseObject({ partNumber: z.int().positive(), etag: z.string(), lastModified: DATE });

/**
 * Fills a store from the files that fauxqs and `ObjectFiles` have written: objects without their bodies, which are read
 * on demand. Damaged files are renamed to `<name>.damaged` and ignored; unfinished files of a killed process are
 * deleted.
 */
export function loadObjectFiles(folder: string, store: S3Store, onDamage: (text: string) => void): void {
  const loader = { folder, store, onDamage };
  for (const bucket of foldersIn(join(folder, 'buckets'))) loadBucket(loader, bucket);
  for (const uploadId of foldersIn(join(folder, '_multipart'))) {
    const path = join(folder, '_multipart', uploadId);
    orSetAside(loader, path, 'upload', () => store.restoreMultipartUpload(readUpload(path, uploadId)));
  }
}

type Loader = { folder: string; store: S3Store; onDamage: (text: string) => void };

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.endsWith('.damaged')).map(({ name }) => name);
}

function loadBucket(loader: Loader, bucket: string): void {
  const { folder, store } = loader;
  const path = join(folder, 'buckets', bucket);
  const file = join(path, '.bucket.json');
  // A bucket whose file is damaged keeps its name and its objects.
  orSetAside(loader, file, 'date', () => {
    const { creationDate, type } = BUCKET.parse(readJson(file));
    store.createBucket(bucket, type);
    store.setBucketCreationDate(bucket, creationDate);
  });
  store.createBucket(bucket);
  const lifecycle = join(path, '.lifecycle.xml');
  if (existsSync(lifecycle)) store.restoreBucketLifecycleConfiguration(bucket, readFileSync(lifecycle, 'utf8'));
  loadObjects(loader, bucket, join(path, 'objects'));
}

function loadObjects(loader: Loader, bucket: string, folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) loadObjects(loader, bucket, path);
    else if (isUnfinished(entry.name)) rmSync(path, { force: true });
    else if (entry.name.endsWith(META_ENDING)) {
      orSetAside(loader, path, 'object', () => loader.store.restoreObject(bucket, readObject(loader, bucket, path)));
    }
  }
}

function readObject({ folder }: Loader, bucket: string, path: string): StoredObject {
  const meta = OBJECT.parse(readJson(path));
  checkObjectKey(meta.key);
  const expected = join(folder, objectPath(bucket, meta.key));
  if (path !== expected + META_ENDING) throw new Error('the key is not that of this file');
  const { size } = statSync(`${expected}.data`);
  if (size !== meta.contentLength) throw new Error(`expected ${meta.contentLength} bytes of data, got ${size}`);
  return { ...meta, body: Buffer.alloc(0) };
}

function readUpload(path: string, uploadId: string): StoredUpload {
  const upload = UPLOAD.parse(readJson(join(path, '.upload.json')));
  if (upload.uploadId !== uploadId) throw new Error('the id is not that of this folder');
  checkObjectKey(upload.key);
  const files = existsSync(join(path, 'parts')) ? readdirSync(join(path, 'parts')) : [];
  const parts = files.filter((name) => name.endsWith(META_ENDING)).map((name) => readPart(join(path, 'parts', name)));
  return { ...upload, parts: new Map(parts.map((part) => [part.partNumber, part])) };
}

function readPart(path: string): StoredPart {
  return { ...PART.parse(readJson(path)), body: readFileSync(`${path.slice(0, -META_ENDING.length)}.data`) };
}

function readJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  if (text === '') throw new Error('it is empty');
  return JSON.parse(text);
}

function orSetAside({ onDamage }: Loader, path: string, what: string, load: () => void): void {
  try {
    load();
  } catch (error) {
    onDamage(
      `${path} is damaged (${reasonOf(error)}): its ${what} is ignored, the file was renamed to ${setAside(path)}`,
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`;
  return (error as Error).message;
}

/** Renames an unreadable file, so that the next start ignores it. */
export function setAside(path: string): string {
  const aside = `${path}.damaged`;
  try {
    rmSync(aside, { recursive: true, force: true });
    renameSync(path, aside);
    return aside;
  } catch {
    // Missing, or on a read-only disk: it is ignored at each start.
    return path;
  }
}
