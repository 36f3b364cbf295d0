import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { ERROR_CODES, type ErrorCode } from '../../shared/contract/error-codes.ts';
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEMS,
  type ProblemCode,
  type RequestProblemCode,
} from '../../shared/contract/problem.ts';
import { problemSchema } from './schemas.ts';

const IMAGE_ERRORS = Object.keys(ERROR_CODES) as ErrorCode[];

/** Codes of an image in the body, which is not fetched. */
export const UPLOAD_ERRORS = IMAGE_ERRORS.filter(
  (code) => ERROR_CODES[code].stage !== 'fetch' && code !== 'worker_crashed',
);
/** Codes of an image that is fetched by its URL. */
export const URL_ERRORS = IMAGE_ERRORS.filter((code) => code !== 'worker_crashed');

/** Problems that any operation may respond with. */
const EVERYWHERE: RequestProblemCode[] = [
  'method_not_allowed',
  'header_too_large',
  'deadline_exceeded',
  'service_unavailable',
];

const retryAfter = z.int().min(0).optional().meta({ description: "seconds; what the image's server asked for" });

/** The OpenAPI responses for these codes: one per status, which lists its codes. */
export function problemResponses(codes: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const all: ProblemCode[] = [...codes, 'internal_error', ...EVERYWHERE];
  const byStatus = Map.groupBy(new Set(all), (code) => String(PROBLEMS[code].status) as `4${string}`);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}`).join('; '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
        ...(status === '405' && { headers: z.object({ allow: z.string() }) }),
        ...(['429', '502'].includes(status) && { headers: z.object({ 'retry-after': retryAfter }) }),
      },
    ]),
  );
}
