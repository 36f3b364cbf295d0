import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isRunning } from './process-identity.ts';
import { replaceFile } from './replace-file.ts';

const FILE = 'environment.json';

const RUNNING_SERVICE = z.object({
  /** Of the process: its id, and when it was started. */
  identity: z.string(),
  /** The variables that point a command at the service, credentials included. */
  environment: z.record(z.string(), z.string()),
});

/** A service that other commands of the same user find by its state folder. */
export type RunningService = z.infer<typeof RUNNING_SERVICE>;

/**
 * Writes down where the service of this process is, readable for its user alone.
 *
 * @returns removes it
 */
export function publishService(dataDir: string, environment: Record<string, string>): () => void {
  const path = join(dataDir, FILE);
  const identity = identityOf(process.pid);
  if (identity === undefined) return () => {};
  // One that is there already keeps its mode.
  rmSync(path, { force: true });
  replaceFile(path, JSON.stringify({ identity, environment } satisfies RunningService), 0o600);
  return () => rmSync(path, { force: true });
}

/** @returns undefined when no service runs in the folder; what a killed one has left there is not taken for one */
export function findService(dataDir: string): RunningService | undefined {
  try {
    const service = RUNNING_SERVICE.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')));
    return isRunning(service.identity) ? service : undefined;
  } catch {
    return undefined;
  }
}
