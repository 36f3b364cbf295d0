import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The package's folder: what is bundled lies in its `lib/`. */
export const PACKAGE = join(import.meta.dirname, '..');

/** For what is downloaded or unpacked at its first use. Can be deleted at any time. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_CACHE_HOME'], '.cache');
}

/** Where `labelqueue local` keeps queues and objects, for every version of the package. */
export function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return userFolder(environment['XDG_STATE_HOME'], '.local/state');
}

/** Relative paths in these variables are ignored: https://specifications.freedesktop.org/basedir-spec/latest/ */
function userFolder(given: string | undefined, usual: string): string {
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), usual), 'labelqueue');
}
