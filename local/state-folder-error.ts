import { UserError } from '../shared/contract/user-error.ts';

/** A state folder cannot be used. The message names it and says what to do. */
export class StateFolderError extends UserError {
  override readonly name = 'StateFolderError';
}
