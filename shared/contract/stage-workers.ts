import { z } from 'zod';
import { ARCHITECTURES } from './worker-time.ts';

/** Who takes the queue of a stage. `lambda` keeps a fleet at 0 instances; `fleet` turns Lambda's event source off. */
export const QUEUE_TAKERS = ['fleet', 'lambda', 'both'] as const;
/** Values of MODEL_PRECISION. */
export const MODEL_PRECISIONS = ['auto', 'float32'] as const;

/** What the estimate of a job depends on: the output `Workers` of a stack, as JSON. Stacks of earlier versions have none. */
export const stageWorkersSchema = z.object({
  architecture: z.enum(ARCHITECTURES).default(ARCHITECTURES[0]),
  modelPrecision: z.enum(MODEL_PRECISIONS).default('auto'),
  queue: z.enum(QUEUE_TAKERS).default('lambda'),
  /** Workers on Lambda; missing where pollers or the account limit them. */
  maximumConcurrency: z.int().min(1).optional(),
  /** Of the fleet; empty without one. */
  instanceTypes: z.array(z.string()).default([]),
  maxInstances: z.int().min(0).default(0),
});

/** The workers of a stage. */
export type StageWorkers = z.infer<typeof stageWorkersSchema>;

/** What is assumed if nothing is known: a stage of defaults. */
export const DEFAULT_STAGE_WORKERS: StageWorkers = stageWorkersSchema.parse({});

/** Parses the output of a stack; the default for one that is empty, malformed, or of a later version with other values. */
export function parseStageWorkers(text = ''): StageWorkers {
  try {
    return stageWorkersSchema.safeParse(JSON.parse(text)).data ?? DEFAULT_STAGE_WORKERS;
  } catch {
    return DEFAULT_STAGE_WORKERS;
  }
}
