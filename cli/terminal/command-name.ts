import { basename, delimiter, dirname, isAbsolute, relative } from 'node:path';
import { quoted } from './shell-text.ts';

/** What `LABELQUEUE_STARTED_AS` says where no shell finds the command by its name. */
const BY_NPX = 'npx labelqueue';

/**
 * What starts this command again, for hints that people paste: `labelqueue` where the shell finds it by its name, else the
 * path, e.g. `bin/labelqueue`. `bin/labelqueue` passes its own path in `LABELQUEUE_COMMAND`; the package from npm passes in
 * `LABELQUEUE_STARTED_AS` that it was started by `npx`.
 */
export function commandName(environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): string {
  if (environment['LABELQUEUE_STARTED_AS'] === BY_NPX) return BY_NPX;
  const path = environment['LABELQUEUE_COMMAND'];
  if (path === undefined || !isAbsolute(path)) return 'labelqueue';
  const searched = (environment['PATH'] ?? '').split(delimiter);
  if (searched.includes(dirname(path))) return quoted(basename(path));
  const inside = relative(folder, path);
  if (inside.startsWith('..')) return quoted(path);
  return quoted(inside.includes('/') ? inside : `./${inside}`);
}
