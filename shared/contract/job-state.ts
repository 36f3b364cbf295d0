/** The states of a job, as commands, API and dashboard name them. */
export type JobState =
  | 'enqueuing'
  | 'running'
  | 'completed'
  | 'completed with failures'
  | 'cancelled'
  | 'failed while enqueuing'
  /** Its messages come from elsewhere, so that nobody said how many images there are. */
  | 'unknown';
