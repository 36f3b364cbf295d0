import type { ZodOpenApiOperationObject } from 'zod-openapi';
import type { StageTimer } from '../../shared/classifier/classify-image.ts';
import type { ImageClassifier } from '../../shared/classifier/image-classifier.ts';
import type { ModelId } from '../../shared/contract/result-line.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { ProblemResponse } from './problem.ts';
import type { ApiTelemetry } from './telemetry.ts';

/** What the API is made of: one of each a process, wired in `handler.ts`. */
export type ApiDependencies = {
  classifier: ImageClassifier;
  /** The bytes at a URL, by the worker's rules. */
  fetch: (url: string, signal: AbortSignal) => ReturnType<Parameters<ImageClassifier['classify']>[0]>;
  model: ModelId;
  /** Labels in an answer when the caller does not say how many. */
  topK: number;
  target: JobTarget;
  telemetry: ApiTelemetry;
};

/** A request as an operation sees it. */
export type ApiRequest = {
  /** A name that was given several times has a list. */
  query: Record<string, string | string[]>;
  path: Record<string, string>;
  /** In lower case and without parameters; empty when none was given. */
  mediaType: string;
  body: Buffer;
  /** Aborted when there is no time left. */
  signal: AbortSignal;
  time: StageTimer;
};

/** What an operation gives when all is well. */
export type Answer = { status: 200 | 202; body: object; headers?: Record<string, string> };

/** One thing that the API can be asked for. */
export type Operation = {
  /** For the OpenAPI document. */
  document: ZodOpenApiOperationObject;
  handle(request: ApiRequest, dependencies: ApiDependencies): Promise<Answer | ProblemResponse>;
};
