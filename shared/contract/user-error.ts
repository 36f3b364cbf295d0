/**
 * An error whose message says all that a person needs: what was expected, where, what came and what to do next. A command
 * prints the message alone; every other error is a bug, and is printed with its stack trace.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}
