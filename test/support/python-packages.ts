import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { takeLock } from '../../setup/setup-lock.mjs';

const FOLDER = join(import.meta.dirname, '../../.labelqueue/python');

/** What tests ask for together, under the name of its folder. */
const SETS = {
  /** moto's server is CloudFormation, SQS, S3 and Lambda's control plane; cfn-lint comes with it. */
  'moto-5.2.5-cfn-lint-1.58.0': ['moto[server,cloudformation]==5.2.5', 'cfn-lint==1.58.0'],
  'schemathesis-4.32.5': ['schemathesis==4.32.5'],
} as const;

/**
 * Python packages that tests need, in a folder of this project: nothing of the user's Python changes.
 * Fetched when a test asks for them for the first time.
 *
 * @returns the folder, for PYTHONPATH
 */
export async function pythonPackages(set: keyof typeof SETS = 'moto-5.2.5-cfn-lint-1.58.0'): Promise<string> {
  const place = join(FOLDER, set);
  if (existsSync(place)) return place;
  await mkdir(FOLDER, { recursive: true });
  const release = await takeLock(join(FOLDER, 'lock'), { signal: new AbortController().signal, onWait() {} });
  try {
    if (!existsSync(place)) await install(place, SETS[set]);
  } finally {
    release();
  }
  return place;
}

async function install(place: string, requirements: readonly string[]): Promise<void> {
  const unfinished = `${place}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', unfinished];
  await promisify(execFile)('python3', [...pip, ...requirements]);
  await rename(unfinished, place);
}
