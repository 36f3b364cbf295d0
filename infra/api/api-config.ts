import { z } from 'zod';
import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';

/** An origin as browsers send it: scheme and host, with the port where it is not the usual one. */
const origin = z.string().regex(/^(\*|https?:\/\/[a-z0-9.-]+(:\d+)?)$/, 'expected an origin, https://host, or *');

/** What browsers on pages of other origins may do: API Gateway answers their preflight requests. */
const cors = z.strictObject({
  allowOrigins: z.array(origin).min(1).max(50),
  /** How long a browser remembers the answer. */
  maxAgeSeconds: z.int().min(0).max(86_400).default(600),
});

/** The options of the HTTP API in a stage's file. */
export const api = z.strictObject({
  /** 1,769 MB are one vCPU. The model and one image need about 750. */
  memoryMb: z.int().min(1_024).max(10_240).default(FUNCTION_MEMORY_MB),
  /** All callers together; API Gateway answers the others with 429. */
  requestsPerSecond: z.int().min(1).max(10_000).default(10),
  /** Requests that may come at the same moment. */
  burst: z.int().min(1).max(5_000).default(20),
  /** Environments that no other function may take, and no more than these. */
  reservedConcurrency: z.int().min(1).max(1_000).optional(),
  /** Tokens of this issuer in place of IAM's signatures. */
  jwt: z
    .strictObject({
      issuer: z.url({ protocol: /^https$/, error: 'expected the https URL of an OpenID issuer' }),
      audience: z.array(z.string().min(1)).min(1).max(50),
    })
    .optional(),
  /** Which pages of other origins may call it with a token; none without. */
  cors: cors.optional(),
});

/** The options of the HTTP API. */
export type ApiConfig = z.infer<typeof api>;
