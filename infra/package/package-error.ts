/** Something that whoever packages the worker has to mend; the message says what. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
}
