import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWebhookSecret, newWebhookSecret } from '../shared/contract/standard-webhook.ts';
import { replaceFile } from './replace-file.ts';

const FILE = 'webhook-secret';

/**
 * The secret that signs webhooks of a state folder: generated at its first start and stored, readable only by its user.
 *
 * @returns `isNew` if it was just generated
 */
export function localWebhookSecret(dataDir: string): { secret: string; isNew: boolean; path: string } {
  const path = join(dataDir, FILE);
  const kept = readSecret(path);
  if (kept !== undefined) return { secret: kept, isNew: false, path };
  const secret = newWebhookSecret();
  replaceFile(path, `${secret}\n`, 0o600);
  return { secret, isNew: true, path };
}

function readSecret(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return isWebhookSecret(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
