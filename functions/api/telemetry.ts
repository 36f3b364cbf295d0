import type { Logger } from '@aws-lambda-powertools/logger';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import type { BatchObserver } from '../../shared/classifier/inference-result.ts';
import type { ProblemCode } from '../../shared/contract/problem.ts';
import { describeError } from '../../shared/contract/redact.ts';

/** What the API logs of a request. Never its URL, its body, or their content. */
export type RequestReport = {
  /** The same id as in API Gateway's access log. */
  requestId: string;
  /** As in the OpenAPI document, e.g. `GET /jobs/{job}`; undefined for an unknown path. */
  route: string | undefined;
  status: number;
  milliseconds: number;
  stages: Partial<Record<TimedStage, number>>;
  /** Only of a failed request. */
  problem?: ProblemCode;
};

/** What the API reports. */
export type ApiTelemetry = {
  request(report: RequestReport): void;
  unexpectedError(requestId: string, error: unknown): void;
  batch: BatchObserver;
};

/** JSON lines on standard output. API Gateway and Lambda measure counts and times themselves. */
export function createTelemetry(logger: Logger): ApiTelemetry {
  return {
    request({ requestId, route, status, milliseconds, stages, problem }) {
      const times = Object.entries({ ...stages, total: milliseconds });
      const ms = Object.fromEntries(times.map(([name, time]) => [name, Math.round(time * 100) / 100]));
      const facts = { requestId, route, status, ms };
      if (problem === undefined) logger.info('request answered', facts);
      else logger.warn('request failed', { ...facts, code: problem });
    },
    unexpectedError(requestId, error) {
      const stack = Error.isError(error)
        ? error.stack
            ?.split('\n')
            .slice(1)
            .map((line) => line.trim())
        : undefined;
      logger.error('unhandled error', { requestId, reason: describeError(error), stack });
    },
    batch(images, milliseconds) {
      logger.debug('inference', { images, milliseconds });
    },
  };
}
