/** The states of a job, as commands, API and dashboard name them. */
export type JobState =
  | 'enqueuing'
  | 'running'
  | 'completed'
  | 'completed with failures'
  | 'cancelled'
  | 'failed while enqueuing'
  /** Its messages come from another producer, so the number of its images is unknown. */
  | 'unknown';
