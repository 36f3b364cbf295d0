import { ModelFolderError } from '../shared/classifier/model-folder.ts';
import { ImageTooLargeError } from '../shared/contract/pack-messages.ts';
import { SettingsError } from '../shared/contract/settings.ts';
import { SourceLineError } from '../shared/jobs/read-source.ts';
import { SendError } from '../shared/jobs/send-messages.ts';

/** An error whose message says all that a person needs; a stack trace would only hide it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const EXPECTED = [CommandError, SettingsError, ModelFolderError, ImageTooLargeError, SourceLineError, SendError];

/** What to print for an error that a user can do something about; undefined for a defect. */
export function expectedFailureText(error: unknown): string | undefined {
  if (EXPECTED.some((kind) => error instanceof kind)) return (error as Error).message;
  if (!(error instanceof Error)) return undefined;
  return fileFailure(error) ?? awsFailure(error);
}

function fileFailure(error: Error): string | undefined {
  if (!('code' in error && 'path' in error)) return undefined;
  if (error.code === 'ENOENT') return `${error.path}: no such file`;
  if (error.code === 'EISDIR') return `${error.path}: expected a file, got a folder`;
  if (error.code === 'EACCES') return `${error.path}: permission denied`;
  return undefined;
}

/** Errors of the AWS SDK carry `$metadata`; failed connections have a code and no path. */
function awsFailure(error: Error): string | undefined {
  if (error.name === 'CredentialsProviderError') {
    return `no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (${error.message})`;
  }
  if (/region is missing/i.test(error.message)) return 'no AWS region: set AWS_REGION, e.g. to us-east-1';
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  const where = endpoint === undefined ? 'AWS' : endpoint;
  if ('$metadata' in error) return `${where} answered ${error.name}: ${error.message}`;
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) {
    return `${where} cannot be reached: ${error.code}`;
  }
  return undefined;
}
