// @ts-check
/** Preloaded into a command (`--import`), it appends the native addons that the command loads to the file that TELL_ADDONS names. */
import { appendFileSync } from 'node:fs';
import process from 'node:process';

const load = process.dlopen;

process.dlopen = (module, filename, ...rest) => {
  appendFileSync(process.env['TELL_ADDONS'] ?? '/dev/null', `${filename}\n`);
  return load(module, filename, ...rest);
};
