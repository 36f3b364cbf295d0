/** A state folder cannot be used; the message names it and says what to do. */
export class StateFolderError extends Error {
  override readonly name = 'StateFolderError';
}
