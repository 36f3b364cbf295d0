import { UserError } from '../contract/user-error.ts';
import type { JobTarget } from './job-target.ts';

/** A job of which there is neither a description nor an outcome. */
export class NoSuchJobError extends UserError {
  override readonly name = 'NoSuchJobError';

  /** What is wrong, without what to do. */
  readonly problem: string;

  constructor({ resultsBucket }: Pick<JobTarget, 'resultsBucket'>, job: string) {
    const problem = `no job ${job} in the bucket ${resultsBucket}`;
    super(`${problem}: see labelqueue status`);
    this.problem = problem;
  }
}

/** The disk that holds what memory cannot is full. */
export class OutOfSpaceError extends UserError {
  override readonly name = 'OutOfSpaceError';
}

/** A file that DuckDB could not read or write. */
export class OutcomeFileError extends UserError {
  override readonly name = 'OutcomeFileError';
  readonly path: string;
  /** The system's own words, e.g. `No space left on device`. */
  readonly reason: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}; temporary files go where TMPDIR says`, options);
    this.path = path;
    this.reason = reason;
  }
}
