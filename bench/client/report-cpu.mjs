/** Preloaded into a command (`--import`), it says at the end how long the process has computed. */
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write(`\ncpu: ${Math.round((user + system) / 1_000)} ms\n`);
});
