import { JOB_ENDED, type JobEnd } from '../../shared/contract/job-end.ts';

/** The body of a webhook and of an SNS message: the same text every time it is sent. */
export function announcementOf(end: JobEnd): string {
  return JSON.stringify({ type: JOB_ENDED, timestamp: end.endedAt, data: end });
}
