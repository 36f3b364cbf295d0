import { UserError } from '../../contract/user-error.ts';

/** A model folder is invalid. The message names the file or field, what was expected and what was found. */
export class ModelFolderError extends UserError {
  override readonly name = 'ModelFolderError';
}
