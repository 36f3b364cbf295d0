#!/usr/bin/env node
// What npm links as `labelqueue`. An old Node has to get as far as the message, so nothing is imported before the check,
// and nothing here is newer than ES modules.

const MIN_MAJOR = 22;
const LEAST_MINOR = 19;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < MIN_MAJOR || (major === MIN_MAJOR && minor < LEAST_MINOR)) {
  process.stderr.write(
    `labelqueue: expected Node ${MIN_MAJOR}.${LEAST_MINOR} or newer, this is ${process.version} (${process.execPath}).\n` +
      'Install Node 24, and run the command again.\n',
  );
  process.exitCode = 1;
} else {
  const start = '../lib/start.js';
  import(start);
}
