// @ts-check
// node setup/start.mjs: sets up what is missing in the folder that this one lies in. Read by whatever Node is on PATH: an old
// one has to get as far as the message, so nothing here is unknown to Node 12, and nothing is imported before the check.

// npm carries no Node 24 for macOS, so there it must be the one on PATH.
const MIN_MAJOR = process.platform === 'darwin' ? 24 : 20;

if (Number(process.versions.node.split('.')[0]) < MIN_MAJOR) {
  const found = `${process.version} (${process.execPath})`;
  process.stderr.write(`labelqueue setup: expected Node ${MIN_MAJOR} or newer, this is ${found}. Install Node 24.\n`);
  process.exitCode = 1;
} else {
  import('./setup.mjs').then(({ setUp }) => setUp());
}
