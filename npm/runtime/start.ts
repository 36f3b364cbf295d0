/** The command of the package: prepares the process, then loads what a checkout's `bin/labelqueue` runs. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { cacheFolder, stateFolder } from './folders.ts';

// As bin/labelqueue of a checkout: a million images stream through less than 200 MB when V8 tidies up early.
setFlagsFromString('--max-semi-space-size=1');
setFlagsFromString('--max-old-space-size=512');
// A second start takes half of the time of the first one.
enableCompileCache(join(cacheFolder(), 'compile-cache'));
// The package's own folder may be removed at any time, and may not be writable.
process.env['LABELQUEUE_STATE_DIR'] ||= stateFolder();
// `npx labelqueue` leaves nothing that a shell would find by its name.
if (process.env['npm_command'] === 'exec') process.env['LABELQUEUE_STARTED_AS'] ||= 'npx labelqueue';

await import('../../cli/main.ts');
