import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isRunning } from './process-identity.ts';
import { replaceFile } from './replace-file.ts';

const FILE = 'environment.json';

const RUNNING_SERVICE = z.object({
  /** The process: its id and its start time. */
  identity: z.string(),
  /** The variables that point a command at the service, credentials included. */
  environment: z.record(z.string(), z.string()),
});

/** A running service, which other commands of the same user find by its state folder. */
export type RunningService = z.infer<typeof RUNNING_SERVICE>;

/**
 * Records the address of this process's service, readable only by its user.
 *
 * @returns removes it
 */
export function publishService(dataDir: string, environment: Record<string, string>): () => void {
  const path = join(dataDir, FILE);
  const identity = identityOf(process.pid);
  if (identity === undefined) return () => {};
  // An existing file would keep its mode.
  rmSync(path, { force: true });
  replaceFile(path, JSON.stringify({ identity, environment } satisfies RunningService), 0o600);
  return () => rmSync(path, { force: true });
}

/** @returns undefined when no service runs in the folder; records of killed services are ignored */
export function findService(dataDir: string): RunningService | undefined {
  try {
    const service = RUNNING_SERVICE.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')));
    return isRunning(service.identity) ? service : undefined;
  } catch {
    return undefined;
  }
}
