// @ts-check
/** Preloaded into a command (`--import`), it writes at the end which modules the command has loaded, as a line of JSON. */
import { registerHooks } from 'node:module';

/** @type {string[]} */
const loaded = [];

registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) loaded.push(url);
    return next(url, context);
  },
});

process.on('exit', () => process.stderr.write(`\nloaded: ${JSON.stringify(loaded)}\n`));
