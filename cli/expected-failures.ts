import { inspect } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { fileFailureText } from '../shared/contract/file-failure.ts';
import { UserError } from '../shared/contract/user-error.ts';
import { commandName } from './command-name.ts';

/** A command cannot do what it was asked to do. */
export class CommandError extends UserError {
  override readonly name = 'CommandError';
}

/** What to print for an error: one line for what a user can do something about, for a bug all that there is. */
export function failureText(error: unknown): string {
  return expectedFailureText(error) ?? bugText(error);
}

/** @returns undefined for a bug */
export function expectedFailureText(error: unknown): string | undefined {
  if (error instanceof UserError) return error.message;
  if (!Error.isError(error)) return undefined;
  return portFailure(error) ?? awsFailure(error) ?? fileFailureText(error);
}

type Repository = { bugs?: { url?: string } };

function bugText(error: unknown): string {
  const url = (packageJson as Repository).bugs?.url;
  const where = url === undefined ? '' : ` at ${url}`;
  const version = `labelqueue ${packageJson.version}, Node ${process.version}, ${process.platform} ${process.arch}`;
  return `this is a bug in labelqueue: please report it${where} with the text below\n\n${version}\n${inspect(error)}`;
}

function portFailure(error: NodeJS.ErrnoException & { port?: number }): string | undefined {
  if (error.syscall !== 'listen') return undefined;
  if (error.code === 'EADDRINUSE') return `port ${error.port} is in use: name another one with --port`;
  return `cannot listen on port ${error.port}: ${error.code}`;
}

/** Errors of the AWS SDK carry `$metadata`, which has a status when there was an answer. */
function awsFailure(error: NodeJS.ErrnoException & { $metadata?: { httpStatusCode?: number } }): string | undefined {
  if (error.name === 'CredentialsProviderError') {
    return `no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (${error.message})`;
  }
  if (/region is missing/i.test(error.message)) return 'no AWS region: set AWS_REGION, e.g. to us-east-1';
  if (error.$metadata === undefined) return undefined;
  const where = process.env['AWS_ENDPOINT_URL'] ?? 'AWS';
  return error.$metadata.httpStatusCode === undefined
    ? `${where} cannot be reached: ${error.code ?? error.message}; ${howToReach(where)}`
    : `${where} answered ${error.name}: ${error.message}`;
}

function howToReach(where: string): string {
  return /^https?:\/\/(127\.|localhost\b|\[::1\])/.test(where)
    ? `is \`${commandName()} local\` running, and are these the settings that it printed?`
    : 'check the network, the proxy and AWS_REGION';
}
