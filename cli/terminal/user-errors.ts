import { inspect } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { awsFailureText } from '../../shared/contract/aws-failures.ts';
import { namesInEnvironment } from '../../shared/contract/aws-setting-names.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import { fileFailureText } from '../../shared/runtime/file-failure.ts';
import { commandName } from './command-name.ts';

/** A command cannot do what it was asked to do. */
export class CommandError extends UserError {
  override readonly name = 'CommandError';
}

/** What to print for an error: one line for an error that the user can fix, all details for a bug. */
export function failureText(error: unknown): string {
  return userErrorText(error) ?? bugText(error);
}

/** @returns undefined for a bug */
export function userErrorText(error: unknown): string | undefined {
  if (error instanceof UserError) return error.message;
  if (!Error.isError(error)) return undefined;
  return awsFailureText(error, namesInEnvironment(commandName())) ?? portFailure(error) ?? fileFailureText(error);
}

type Repository = { bugs?: { url?: string } };

function bugText(error: unknown): string {
  const url = (packageJson as Repository).bugs?.url;
  const where = url === undefined ? '' : ` at ${url}`;
  const version = `labelqueue ${packageJson.version}, Node ${process.version}, ${process.platform} ${process.arch}`;
  return `this is a bug in labelqueue: please report it${where} with the text below\n\n${version}\n${inspect(error)}`;
}

function portFailure(error: ListenFailure): string | undefined {
  const { syscall, code, port, address, hostname } = error;
  if (syscall === 'getaddrinfo' && hostname !== undefined) {
    return `expected a host name or an address, ${JSON.stringify(hostname)} cannot be resolved (${code})`;
  }
  if (syscall !== 'listen') return undefined;
  if (code === 'EADDRINUSE') return `port ${port} is already in use; choose another with --port`;
  if (code === 'EADDRNOTAVAIL') return `expected an address of this machine to listen on, got ${address}`;
  return `cannot listen on ${[address, port].filter((part) => part !== undefined).join(' port ')}: ${code}`;
}

type ListenFailure = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string };
