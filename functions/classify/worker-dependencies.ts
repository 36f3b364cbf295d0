import type { Pipeline } from '../../shared/classifier/classify-images.ts';
import type { Cancellations } from './cancellations.ts';
import type { FailureRateGuard } from './failure-rate-guard.ts';
import type { Isolation } from './isolation.ts';
import type { Destinations } from './settle.ts';
import type { Telemetry } from './telemetry.ts';

/** What the worker is made of: one of each a process, wired in `handler.ts`. */
export type WorkerDependencies = {
  pipeline: Pipeline;
  isolation: Isolation;
  destinations: Destinations;
  telemetry: Telemetry;
  cancellations: Cancellations;
  failureRateGuard: Pick<FailureRateGuard, 'sawFailures'>;
  retryBaseSeconds: number;
  /** Injected so that tests decide them. */
  now: () => Date;
  /** Uniform in [0, 1). */
  random: () => number;
};
