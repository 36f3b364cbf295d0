import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The package's folder: what is bundled lies in its `lib/`.
 */
export const PACKAGE = join(import.meta.dirname, '..');

/** Where what is fetched or made at its first use is kept. All of it can be made again. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_CACHE_HOME'], '.cache');
}

/** Where `labelqueue local` keeps its queues and objects: a newer version of the package finds them again. */
export function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_STATE_HOME'], '.local/state');
}

/** A relative path in such a variable counts as none: https://specifications.freedesktop.org/basedir-spec/latest/ */
function userFolder(given: string | undefined, usual: string): string {
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), usual), 'labelqueue');
}
