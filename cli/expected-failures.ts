import { FunctionError } from '../local/execution-environment.ts';
import { StateFolderError } from '../local/state-folder-error.ts';
import { ModelFolderError } from '../shared/classifier/model-folder-error.ts';
import { TooFewOpenFilesError } from '../shared/classifier/open-files.ts';
import { ImageTooLargeError } from '../shared/contract/pack-messages.ts';
import { SettingsError } from '../shared/contract/settings.ts';
import { RunEndedError } from '../shared/jobs/enqueue.ts';
import { ListingError } from '../shared/jobs/list-objects.ts';
import { NoSuchJobError, OutOfSpaceError } from '../shared/jobs/outcomes/outcome-errors.ts';
import { PurgeError } from '../shared/jobs/purge-job.ts';
import { SendError } from '../shared/jobs/send-messages.ts';
import { ColumnError } from '../shared/jobs/sources/columns.ts';
import { UnreadableSourceError } from '../shared/jobs/sources/read-source.ts';
import { SourceChangedError } from '../shared/jobs/survey.ts';

/** An error whose message says all that a person needs; a stack trace would only hide it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const EXPECTED = [
  CommandError,
  SettingsError,
  ModelFolderError,
  TooFewOpenFilesError,
  ImageTooLargeError,
  ColumnError,
  SourceChangedError,
  UnreadableSourceError,
  SendError,
  RunEndedError,
  ListingError,
  PurgeError,
  NoSuchJobError,
  OutOfSpaceError,
  FunctionError,
  StateFolderError,
];

/** What to print for an error that a user can do something about; undefined for a defect. */
export function expectedFailureText(error: unknown): string | undefined {
  if (EXPECTED.some((kind) => error instanceof kind)) return (error as Error).message;
  if (!(error instanceof Error)) return undefined;
  return portFailure(error) ?? fileFailure(error) ?? awsFailure(error);
}

function portFailure(error: NodeJS.ErrnoException & { port?: number }): string | undefined {
  if (error.syscall !== 'listen') return undefined;
  if (error.code === 'EADDRINUSE') return `port ${error.port} is in use: name another one with --port`;
  return `cannot listen on port ${error.port}: ${error.code}`;
}

/** Some errors of a read name no path. */
function fileFailure({ code, path }: NodeJS.ErrnoException): string | undefined {
  const subject = path === undefined ? '' : `${path}: `;
  if (code === 'ENOENT') return `${subject}no such file`;
  if (code === 'EISDIR') return `${subject}expected a file, got a folder`;
  if (code === 'EACCES') return `${subject}permission denied`;
  if (code === 'ENOSPC') return `${subject}no space left on the disk; temporary files go where TMPDIR says`;
  return undefined;
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
    ? `${where} cannot be reached: ${error.code ?? error.message}`
    : `${where} answered ${error.name}: ${error.message}`;
}
