import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DiskRoom, isNoRoom } from './disk-room.ts';
import {
  FileS3Persistence,
  S3Error,
  type S3Store,
  type StoredObject,
  type StoredPart,
  type StoredUpload,
} from './fauxqs-parts.ts';
import { loadObjectFiles } from './load-object-files.ts';
import { checkObjectKey, objectPath } from './object-key.ts';
import { replaceFile } from './replace-file.ts';

export type ObjectFilesOptions = {
  folder: string;
  room: DiskRoom;
  /** Called with a line for each damaged file that is ignored. */
  onDamage: (text: string) => void;
};

/**
 * The files in which fauxqs keeps buckets and objects, in its own layout, with what fauxqs lacks: a key never leaves
 * its bucket's folder, files are replaced atomically, a damaged file loses only its object, and a full disk is reported
 * as `SlowDown`, which clients retry.
 */
export class ObjectFiles extends FileS3Persistence {
  readonly #options: ObjectFilesOptions;

  constructor(options: ObjectFilesOptions) {
    super(options.folder);
    this.#options = options;
  }

  override loadS3(store: S3Store): void {
    loadObjectFiles(this.#options.folder, store, this.#options.onDamage);
  }

  override upsertObject(bucket: string, { body, ...meta }: StoredObject): void {
    const path = this.#pathOf(bucket, meta.key);
    this.#write(() => {
      mkdirSync(dirname(`${path}.data`), { recursive: true });
      replaceFile(`${path}.data`, body);
      replaceFile(`${path}.meta.json`, JSON.stringify(meta));
    });
  }

  override deleteObject(bucket: string, key: string): void {
    checkObjectKey(key);
    super.deleteObject(bucket, key);
  }

  override renameObject(bucket: string, sourceKey: string, destKey: string): void {
    checkObjectKey(sourceKey);
    checkObjectKey(destKey);
    this.#write(() => super.renameObject(bucket, sourceKey, destKey));
  }

  override readBody(bucket: string, key: string): Buffer {
    checkObjectKey(key);
    try {
      return super.readBody(bucket, key);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new S3Error('NoSuchKey', 'the file of this object is missing', 404, `/${bucket}/${key}`);
    }
  }

  override insertBucket(...bucket: Parameters<FileS3Persistence['insertBucket']>): void {
    this.#write(() => super.insertBucket(...bucket));
  }

  override saveBucketLifecycleConfiguration(bucket: string, config: string): void {
    this.#write(() => super.saveBucketLifecycleConfiguration(bucket, config));
  }

  override insertMultipartUpload(upload: StoredUpload): void {
    checkObjectKey(upload.key);
    this.#write(() => super.insertMultipartUpload(upload));
  }

  override upsertMultipartPart(uploadId: string, part: StoredPart): void {
    this.#write(() => super.upsertMultipartPart(uploadId, part));
  }

  #pathOf(bucket: string, key: string): string {
    checkObjectKey(key);
    return join(this.#options.folder, objectPath(bucket, key));
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#options.room.ranOut();
      throw new S3Error('SlowDown', 'the disk of the state folder is full: retry when there is room', 503);
    }
  }
}
