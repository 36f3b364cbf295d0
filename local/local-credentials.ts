import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './replace-file.ts';

const FILE = 'credentials.json';
/** 26 characters of base 32 are 130 bits: not guessable. */
const KEY_CHARACTERS = 26;
const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const CREDENTIALS = z.object({
  accessKeyId: z.string().regex(/^LQ[A-Z2-7]{26}$/),
  secretAccessKey: z.string().regex(/^[A-Z2-7]{26}$/),
});

/** Credentials of the embedded AWS. The access key ID is the secret part: see `aws-gate.ts`. */
export type LocalCredentials = z.infer<typeof CREDENTIALS>;

/**
 * The credentials of a state folder, generated at its first start and stored, so that exported variables stay valid
 * after a restart. Without a folder, or if the file is damaged, new ones are generated.
 */
export function localCredentials(dataDir: string | undefined): LocalCredentials {
  if (dataDir === undefined) return newCredentials();
  const path = join(dataDir, FILE);
  const kept = readCredentials(path);
  if (kept !== undefined) return kept;
  const made = newCredentials();
  replaceFile(path, JSON.stringify(made), 0o600);
  return made;
}

function readCredentials(path: string): LocalCredentials | undefined {
  try {
    return CREDENTIALS.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function newCredentials(): LocalCredentials {
  return { accessKeyId: `LQ${randomKey()}`, secretAccessKey: randomKey() };
}

function randomKey(): string {
  return Array.from(randomBytes(KEY_CHARACTERS), (byte) => BASE_32[byte % BASE_32.length]).join('');
}
