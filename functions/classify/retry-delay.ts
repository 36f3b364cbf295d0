import { MAX_DELAY_SECONDS } from '../../shared/contract/limits.ts';

/**
 * How long a message waits before its images are tried again, in whole seconds: exponential with
 * "equal jitter" (half fixed, half random), so that workers which failed together do not come
 * back together; never sooner than the server asked for, never longer than SQS can delay.
 *
 * @param failedAttempt the attempt that failed, from 1
 * @param baseSeconds the delay after attempt 1
 * @param retryAfterSeconds what the server asked for, if it did
 * @param random uniform in [0, 1)
 */
export function retryDelaySeconds(
  failedAttempt: number,
  baseSeconds: number,
  retryAfterSeconds: number | undefined,
  random: number,
): number {
  const full = baseSeconds * 2 ** (failedAttempt - 1);
  const jittered = full / 2 + (full / 2) * random;
  return Math.min(MAX_DELAY_SECONDS, Math.ceil(Math.max(jittered, retryAfterSeconds ?? 0)));
}
