import { z } from 'zod';
import type { Facts, Insight } from './insight.ts';
import { NO_FACTS } from './insight.ts';

/** Facts from the dashboard of `labelqueue local` about its process. */
const factsSchema = z.object({
  oldestMessageAgeSeconds: z.number().nullable(),
  workers: z.number().nullable(),
  stages: z.array(
    z.object({
      stage: z.enum(['fetch', 'decode', 'infer']),
      p50Ms: z.number(),
      p95Ms: z.number(),
      p99Ms: z.number(),
      measuredImages: z.number().nullable(),
    }),
  ),
});

const TIMEOUT_MS = 2_000;

/** Reads facts from the local service, whose process has the queue and the workers. */
export function serviceInsight(address: string): Insight {
  return {
    async facts(): Promise<Facts> {
      const response = await fetch(new URL('/api/facts', address), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { ...NO_FACTS, ...factsSchema.parse(await response.json()) };
    },
  };
}
