/** Preloaded into a command (`--import`), it reports the peak memory of the process when it exits. */
import { existsSync, readFileSync } from 'node:fs';

const STATUS = '/proc/self/status';

process.on('exit', () => process.stderr.write(`\npeak memory: ${peakKib()} KiB\n`));

/** Linux carries over into `maxRSS` what the process held that forked this one: a test runner holds much. */
function peakKib() {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS;
  return /VmHWM:\s+(\d+) kB/.exec(readFileSync(STATUS, 'utf8'))?.[1];
}
