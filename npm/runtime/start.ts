/** The command of the package: prepares the process, then loads the same module as a checkout's `bin/labelqueue`. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { makeFolder } from '../../shared/runtime/make-folder.ts';
import { cacheFolder, checkOwnFolder, stateFolder } from '../../shared/runtime/user-folders.ts';

// As in bin/labelqueue: with early garbage collection, a million images stream through less than 200 MB.
setFlagsFromString('--max-semi-space-size=1');
setFlagsFromString('--max-old-space-size=512');
// Halves the time of every start but the first.
try {
  const compiled = join(cacheFolder(), 'compile-cache');
  makeFolder(compiled, 0o700);
  checkOwnFolder(compiled);
  enableCompileCache(compiled);
} catch {
  // Commands that need the cache report why it cannot be used; the others do without it.
}
// The package's own folder may be read-only, and npm may delete it.
process.env['LABELQUEUE_STATE_DIR'] ||= stateFolder();
// After `npx labelqueue`, a shell does not find the command by its name.
if (process.env['npm_command'] === 'exec') process.env['LABELQUEUE_STARTED_AS'] ||= 'npx labelqueue';

await import('../../cli/main.ts');
