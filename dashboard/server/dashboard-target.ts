import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import type { JobSettings } from '../../shared/settings.ts';

/** Timeouts for polling: an open page reports after some seconds that there is no answer, and tries again. */
export const POLLING_TIMEOUTS = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
} as const;

/** Timeouts for changes and exports: waiting for busy S3 and SQS is better than stopping half-way. */
const CHANGE_TIMEOUTS = {
  maxAttempts: 8,
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
} as const;

type ClientConfig = Parameters<typeof createJobTarget>[1];

/** The queue and the bucket for polling, with clients that give up soon. */
export function dashboardTarget(settings: JobSettings, config: ClientConfig): JobTarget {
  return createJobTarget(settings, { ...POLLING_TIMEOUTS, ...config });
}

/** The queue and the bucket for changes and exports, with clients that retry for longer. */
export function patientTarget(settings: JobSettings, config: ClientConfig): JobTarget {
  return createJobTarget(settings, { ...CHANGE_TIMEOUTS, ...config });
}
