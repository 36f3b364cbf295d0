import type { Pipeline } from '../../shared/classifier/classify-images.ts';
import type { Cancellations } from './cancellations.ts';
import type { IsolatedClassifier } from './isolation.ts';
import type { JobGuard } from './job-guard.ts';
import type { Destinations } from './persist-outcomes.ts';
import type { Telemetry } from './telemetry.ts';
import type { WorkTime } from './work-time.ts';

/** What the worker is made of: one of each a process, wired in `handler.ts`. */
export type WorkerDependencies = {
  pipeline: Pipeline;
  isolatedClassifier: IsolatedClassifier;
  destinations: Destinations;
  telemetry: Telemetry;
  cancellations: Cancellations;
  jobGuard: Pick<JobGuard, 'settled' | 'isBusy' | 'finish'>;
  /** The one that `destinations.parts` has. */
  workTime: Pick<WorkTime, 'begin' | 'spentOn'>;
  retryBaseSeconds: number;
  /** Injected so that tests decide them. */
  now: () => Date;
  /** Uniform in [0, 1). */
  random: () => number;
};
