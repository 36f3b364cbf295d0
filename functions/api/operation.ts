import type { ZodOpenApiOperationObject } from 'zod-openapi';
import type { StageTimer } from '../../shared/classifier/classify-image.ts';
import type { ImageClassifier } from '../../shared/classifier/image-classifier.ts';
import type { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { ModelId } from '../../shared/contract/result-line.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { ProblemResponse } from './problem.ts';
import type { ApiTelemetry } from './telemetry.ts';

/** The parts of the API: one of each per process, wired in `handler.ts`. */
export type ApiDependencies = {
  classifier: ImageClassifier;
  /** The bytes at a URL, by the worker's rules. */
  fetch: (url: string, signal: AbortSignal) => Promise<Buffer | ImageFailure>;
  model: ModelId;
  /** Labels per response by default. */
  topK: number;
  target: JobTarget;
  telemetry: ApiTelemetry;
};

/** A request as an operation receives it. */
export type ApiRequest = {
  /** A repeated name has a list of values. */
  query: Record<string, string | string[]>;
  path: Record<string, string>;
  /** In lower case and without parameters; empty when there is none. */
  mediaType: string;
  body: Buffer;
  /** Aborted when there is no time left. */
  signal: AbortSignal;
  time: StageTimer;
};

/** The successful response of an operation. */
export type Answer = { status: 200 | 202; body: object; headers?: Record<string, string> };

/** An operation of the API. */
export type Operation = {
  /** For the OpenAPI document. */
  document: ZodOpenApiOperationObject;
  handle(request: ApiRequest, dependencies: ApiDependencies): Promise<Answer | ProblemResponse>;
};
