import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import type { JobSettings } from '../../shared/settings.ts';

/** A page that is looked at shows after some seconds that there is no answer, and asks again by itself. */
export const GIVES_UP = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
} as const;

/** A change or an export that ends half way is worse than one that takes longer: S3 and SQS that are busy are waited for. */
const GOES_ON = {
  maxAttempts: 8,
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
} as const;

type ClientConfig = Parameters<typeof createJobTarget>[1];

/** The queue and the bucket for looks, with clients that give up soon. */
export function dashboardTarget(settings: JobSettings, config: ClientConfig): JobTarget {
  return createJobTarget(settings, { ...GIVES_UP, ...config });
}

/** The queue and the bucket for changes and exports, with clients that try again for longer. */
export function patientTarget(settings: JobSettings, config: ClientConfig): JobTarget {
  return createJobTarget(settings, { ...GOES_ON, ...config });
}
