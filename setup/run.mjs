// @ts-check
// node setup/run.mjs ARGUMENT…: makes the set-up complete, then runs its Node 24 with the arguments.

import { launch } from './launch.mjs';

launch(process.argv.slice(2));
