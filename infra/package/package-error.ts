import { UserError } from '../../shared/contract/user-error.ts';

/** Something that whoever packages the worker has to mend; the message says what. */
export class PackageError extends UserError {
  override readonly name = 'PackageError';
}
