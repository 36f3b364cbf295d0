/**
 * The parts of fauxqs that `labelqueue local` puts together itself. `startFauxqs` listens on every interface, allows no
 * gate before the port and writes no crash-safe files, and the package only exports `buildApp` besides it. So this
 * file, and no other, imports internals of the package. Its version is pinned.
 */
import type { DatabaseSync } from 'node:sqlite';
import { S3Error, SqsError } from '../node_modules/fauxqs/dist/common/errors.js';
import { applyInitConfig } from '../node_modules/fauxqs/dist/initConfig.js';
import { PersistenceManager } from '../node_modules/fauxqs/dist/persistence.js';
import { FileS3Persistence } from '../node_modules/fauxqs/dist/s3/fileS3Persistence.js';
import { S3Store } from '../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../node_modules/fauxqs/dist/sns/snsStore.js';
import { SqsQueue, SqsStore } from '../node_modules/fauxqs/dist/sqs/sqsStore.js';
import { INVALID_MESSAGE_BODY_CHAR } from '../node_modules/fauxqs/dist/sqs/sqsTypes.js';

export { buildApp, type FauxqsInitConfig } from 'fauxqs';
export {
  applyInitConfig,
  FileS3Persistence,
  PersistenceManager,
  S3Error,
  S3Store,
  SnsStore,
  SqsError,
  SqsQueue,
  SqsStore,
};
export type StoredObject = Parameters<S3Store['restoreObject']>[1];
export type StoredUpload = Parameters<S3Store['restoreMultipartUpload']>[0];
export type StoredPart = StoredUpload['parts'] extends Map<number, infer Part> ? Part : never;
export type StoredMessage = Parameters<SqsQueue['enqueue']>[0];

/**
 * Characters that SQS does not accept in a message: anything but #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and
 * #x10000 to #x10FFFF (SendMessage in the Amazon SQS API Reference). fauxqs leaves out the last range, emoji with it.
 */
const NOT_IN_A_MESSAGE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
INVALID_MESSAGE_BODY_CHAR.test = (body) => NOT_IN_A_MESSAGE.test(body);

/** Private members of a `PersistenceManager` of fauxqs. */
export type PersistenceInside = { db: DatabaseSync; loadSqsMessages(queue: SqsQueue): void };
