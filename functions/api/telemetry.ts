import type { Logger } from '@aws-lambda-powertools/logger';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import type { BatchObserver } from '../../shared/classifier/classify-images.ts';
import type { ProblemCode } from '../../shared/contract/problem.ts';
import { describeError } from '../../shared/contract/redact.ts';

/** What the API tells of a request. Never its URL, its body, or what they name. */
export type RequestReport = {
  /** The id that API Gateway's access log has, too. */
  requestId: string;
  /** As in the OpenAPI document, e.g. `GET /jobs/{job}`; undefined for a path that there is not. */
  route: string | undefined;
  status: number;
  milliseconds: number;
  stages: Partial<Record<TimedStage, number>>;
  /** Of a request that failed. */
  problem?: ProblemCode;
};

export type ApiTelemetry = {
  request(report: RequestReport): void;
  unexpectedError(requestId: string, error: unknown): void;
  batch: BatchObserver;
};

/** JSON lines on standard output. Counts and times are API Gateway's and Lambda's own metrics. */
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
      logger.error('request hit a defect', { requestId, reason: describeError(error), stack });
    },
    batch(images, milliseconds) {
      logger.debug('inference', { images, milliseconds });
    },
  };
}
