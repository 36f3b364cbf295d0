import { UserError } from '../../contract/user-error.ts';

/** A job of which there is neither a description nor an outcome. */
export class NoSuchJobError extends UserError {
  override readonly name = 'NoSuchJobError';
}

/** The disk that holds what memory cannot is full. */
export class OutOfSpaceError extends UserError {
  override readonly name = 'OutOfSpaceError';
}
