/** A job of which there is neither a description nor an outcome. */
export class NoSuchJobError extends Error {
  override readonly name = 'NoSuchJobError';
}

/** The disk that holds what memory cannot is full. */
export class OutOfSpaceError extends Error {
  override readonly name = 'OutOfSpaceError';
}
