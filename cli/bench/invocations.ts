import { z } from 'zod';

/** The used fields of what a worker logs at the end of an invocation; see `functions/classify/telemetry.ts`. */
const invocationSchema = z.object({
  message: z.literal('invocation'),
  function_request_id: z.string(),
  jobs: z.array(z.string()),
  classified: z.number(),
  failed: z.number(),
  ms: z.number(),
  startMs: z.number().optional(),
  processor: z.string(),
  stageMs: z.object({ fetch: z.number(), decode: z.number(), inference: z.number() }),
});

export type LoggedInvocation = z.infer<typeof invocationSchema> & {
  /** Billed milliseconds, including the cold start; undefined without a REPORT line. */
  billedMs: number | undefined;
};

/**
 * The invocations that worked on one job only, from lines of a worker's log.
 *
 * @param lines in any order; other lines are ignored
 */
export function invocationsOf(lines: readonly string[], job: string): LoggedInvocation[] {
  const billed = new Map(lines.flatMap((line) => billedIn(line) ?? []));
  return lines.flatMap((line) => {
    const invocation = invocationIn(line);
    if (invocation === undefined || invocation.jobs.some((name) => name !== job)) return [];
    if (invocation.jobs.length === 0) return [];
    return [{ ...invocation, billedMs: billed.get(invocation.function_request_id) }];
  });
}

function invocationIn(line: string): z.infer<typeof invocationSchema> | undefined {
  const start = line.indexOf('{');
  if (start === -1 || !line.includes('"invocation"')) return undefined;
  try {
    return invocationSchema.safeParse(JSON.parse(line.slice(start))).data;
  } catch {
    return undefined;
  }
}

/** `REPORT RequestId: … Duration: … ms Billed Duration: … ms …`, tabs between. @returns the id, and milliseconds */
function billedIn(line: string): [[string, number]] | undefined {
  const [, id, ms] = /^REPORT RequestId: (\S+)\s.*\bBilled Duration: ([\d.]+) ms/.exec(line) ?? [];
  return id === undefined ? undefined : [[id, Number(ms)]];
}
