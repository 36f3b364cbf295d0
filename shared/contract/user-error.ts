/**
 * An error whose message tells a user everything: what was expected, where, what came instead and what to do next. Commands print
 * only the message; any other error is a bug, and is printed with its stack trace.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}
