/**
 * Enqueue images, see how far a job is, and read its results: the functions behind `labelqueue enqueue`, `labelqueue status`
 * and `labelqueue results`. Nothing is read from `process.env` but what the AWS SDK looks up for region and credentials when
 * the connection has none.
 *
 * @packageDocumentation
 */

export type { ErrorCode, ErrorReport, Stage } from '../../shared/contract/error-codes.ts';
export type { ImageRef } from '../../shared/contract/image-ref.ts';
export type { JobState } from '../../shared/contract/job-state.ts';
export type { FailureLine, ImageFacts, Label, ModelId, ResultLine } from '../../shared/contract/result-line.ts';
export type { JobStatus } from '../../shared/jobs/job-status.ts';
export type { ComputingTime } from '../../shared/jobs/measured-time.ts';
export type { Connection, Credentials } from './connection.ts';
export {
  type EnqueuedJob,
  type EnqueueOptions,
  enqueue,
  type ImageInput,
  type Images,
  type InvalidImage,
} from './enqueue.ts';
export { LabelqueueError, type LabelqueueErrorCode } from './errors.ts';
export { failures, results } from './results.ts';
export { status } from './status.ts';
