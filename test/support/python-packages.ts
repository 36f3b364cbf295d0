import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { takeLock } from '../../setup/setup-lock.mjs';

const FOLDER = join(import.meta.dirname, '../../.labelqueue/python');

/** moto's server is CloudFormation, SQS, S3 and Lambda's control plane; cfn-lint comes with it. */
const REQUIREMENTS = ['moto[server,cloudformation]==5.2.5', 'cfn-lint==1.58.0'];
const NAME = 'moto-5.2.5-cfn-lint-1.58.0';

/**
 * Python packages that tests need, in a folder of this project: nothing of the user's Python changes.
 * Fetched when a test asks for them for the first time.
 *
 * @returns the folder, for PYTHONPATH
 */
export async function pythonPackages(): Promise<string> {
  const place = join(FOLDER, NAME);
  if (existsSync(place)) return place;
  await mkdir(FOLDER, { recursive: true });
  const release = await takeLock(join(FOLDER, 'lock'), { signal: new AbortController().signal, onWait() {} });
  try {
    if (!existsSync(place)) await install(place);
  } finally {
    release();
  }
  return place;
}

async function install(place: string): Promise<void> {
  const unfinished = `${place}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', unfinished];
  await promisify(execFile)('python3', [...pip, ...REQUIREMENTS]);
  await rename(unfinished, place);
}
