import { JOB_ENDED, type JobEnd } from '../../shared/contract/job-end.ts';

/** The body of a webhook and of a message of SNS: the same text however often it is sent. */
export function announcementOf(end: JobEnd): string {
  return JSON.stringify({ type: JOB_ENDED, timestamp: end.endedAt, data: end });
}
