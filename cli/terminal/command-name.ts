import { basename, delimiter, dirname, isAbsolute, relative } from 'node:path';
import { quoted } from './shell-text.ts';

/**
 * What starts this command again, for hints that people paste: `labelqueue` where the shell finds it by its name, else the
 * path, e.g. `bin/labelqueue`. `bin/labelqueue` passes its own path in `LABELQUEUE_COMMAND`.
 */
export function commandName(environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): string {
  const path = environment['LABELQUEUE_COMMAND'];
  if (path === undefined || !isAbsolute(path)) return 'labelqueue';
  const searched = (environment['PATH'] ?? '').split(delimiter);
  if (searched.includes(dirname(path))) return quoted(basename(path));
  const inside = relative(folder, path);
  if (inside.startsWith('..')) return quoted(path);
  return quoted(inside.includes('/') ? inside : `./${inside}`);
}
