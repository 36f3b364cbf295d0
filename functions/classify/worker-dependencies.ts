import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Pipeline } from '../../shared/classifier/classify-images.ts';
import type { Cancellations } from './cancellations.ts';
import type { EndLooks } from './end-looks.ts';
import type { IsolatedClassifier } from './isolation.ts';
import type { JobGuard } from './job-guard.ts';
import type { PartWriter } from './part-writer.ts';
import type { Telemetry } from './telemetry.ts';
import type { WorkTime } from './work-time.ts';

/** Where outcomes go. */
export type Destinations = {
  sqs: SQSClient;
  queueUrl: string;
  deadLetterQueueUrl: string;
  parts: PartWriter;
  /** Present where the ends of runs are announced; the same instance that `parts` uses. */
  endLooks?: Pick<EndLooks, 'around'> | undefined;
};

/** The parts of the worker: one of each per process, wired in `handler.ts`. */
export type WorkerDependencies = {
  pipeline: Pipeline;
  isolatedClassifier: IsolatedClassifier;
  destinations: Destinations;
  telemetry: Telemetry;
  cancellations: Cancellations;
  jobGuard: Pick<JobGuard, 'settled' | 'isBusy' | 'finish'>;
  /** The same instance that `destinations.parts` uses. */
  workTime: Pick<WorkTime, 'begin' | 'spentOn'>;
  retryBaseSeconds: number;
  /** Injected so that tests decide them. */
  now: () => Date;
  /** Uniform in [0, 1). */
  random: () => number;
};
