import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { ERROR_CODES } from '../shared/contract/error-codes.ts';
import { JOB_NAME, JOB_NAME_RULE } from '../shared/contract/job-name.ts';
import { isWebhookUrl, WEBHOOK_URL_RULE } from '../shared/contract/standard-webhook.ts';
import { isHostAndPort } from '../shared/contract/urls.ts';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { stateDirectory } from './project-folder.ts';
import { CommandError } from './terminal/user-errors.ts';

/** For commander: a whole number from `min` to `max`, or a message that says so. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** `--allow-host`, on every command that fetches. Not variadic: it would swallow the arguments after it. */
export function allowHostOption(): Option {
  return new Option(
    '--allow-host <host:port>',
    'fetch from it whatever its address is, e.g. 127.0.0.1:8080; may be repeated (default: public addresses only)',
  ).argParser(repeatedHosts);
}

function repeatedHosts(value: string, earlier: string[] = []): string[] {
  const hosts = value.split(',').map((host) => host.trim());
  if (hosts.every(isHostAndPort)) return [...earlier, ...hosts];
  throw new InvalidArgumentError('Expected HOST:PORT, e.g. 127.0.0.1:8080.');
}

/** For commander: gathers the values of an option that may be repeated. */
export function repeated(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

/** For commander: gathers the names of jobs of an option that may be repeated. */
export function repeatedJobs(value: string, earlier: string[] = []): string[] {
  return [...earlier, jobName(value)];
}

/** `--model`, on every command that runs a model on this machine. */
export function modelOption(): Option {
  return new Option(
    '--model <folder>',
    'a model folder, see docs/models.md (default: MODEL_DIR, or EfficientNet-Lite0)',
  );
}

/** `--trust-model`, beside each model that is given. */
export function trustModelOption(): Option {
  return new Option(
    '--trust-model',
    'the model may read and write files, use the network and start programs, as you may (default: it may compute)',
  );
}

/** `--embedding`, on commands that write result lines with a model on this machine. */
export function embeddingOption(): Option {
  return new Option('--embedding', 'put the embedding of each image into its line, see docs/embeddings.md');
}

/** What commands that run a model on this machine are told of it. */
export type ModelOptions = { model?: string; trustModel?: true };

/**
 * The settings that `--model` and `--trust-model` stand for; they take the place of whatever the environment says of
 * models.
 */
export function modelEnvironment({ model, trustModel }: ModelOptions): Record<string, string> {
  const trust = trustModel ? { MODEL_TRUSTED: 'true' } : {};
  if (model === undefined) return trust;
  return { MODEL_DIR: existingFolder(model), MODEL_S3_URI: '', MODEL_SHA256: '', MODEL_TRUSTED: '', ...trust };
}

/** @returns the absolute path of a model folder that the user has named. @throws {CommandError} when it is missing */
export function existingFolder(path: string): string {
  if (!existsSync(path)) throw new CommandError(`no folder ${visibleLine(path)}`);
  return resolve(path);
}

/** `--state-dir`, on every command that runs the embedded AWS. */
export function stateDirOption(): Option {
  return new Option('--state-dir <folder>', 'where queues, objects and logs are kept').default(
    stateDirectory(),
    'LABELQUEUE_STATE_DIR, or .labelqueue in the project',
  );
}

/** `--force`, beside each `--out`. */
export function forceOption(): Option {
  return new Option('--force', 'replace the file if it exists');
}

/** For commander: a share above 0 and up to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0 and up to 1, e.g. 0.2.');
}

/** For commander: an amount of US dollars above 0, with or without its sign. */
export function dollars(text: string): number {
  const value = Number(text.replace(/^\$/, ''));
  if (/\d/.test(text) && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected an amount of US dollars above 0, e.g. 2.50.');
}

/** `--json`, on every command that tells something. */
export function jsonOption(): Option {
  return new Option('--json', 'one JSON document instead of text');
}

/** For commander: a number from `min` to `max`, or a message that says so. */
export function numberBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
  };
}

/** For commander: a job's name, or what one looks like. */
export function jobName(text: string): string {
  if (JOB_NAME.test(text)) return text;
  throw new InvalidArgumentError(`Expected ${JOB_NAME_RULE}.`);
}

/** For commander: the address of a webhook. */
export function webhookUrl(text: string): string {
  if (isWebhookUrl(text)) return text;
  throw new InvalidArgumentError(`Expected ${WEBHOOK_URL_RULE}.`);
}

export function jobArgument(): Argument {
  return new Argument('<job>', 'job name').argParser(jobName);
}

/** `--code`, on every command that takes failures. An unknown one is answered with all that there are. */
export function errorCodesOption(): Option {
  return new Option('--code <code...>', 'only failures with these codes').choices(Object.keys(ERROR_CODES));
}

/** `--stack`, on the program and on every command that works on queues and a bucket. */
export function stackOption(): Option {
  return new Option(
    '--stack <name>',
    'take queues and bucket from this CloudFormation stack, e.g. labelqueue-dev (default: from the environment)',
  );
}
