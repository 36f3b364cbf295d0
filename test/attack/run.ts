/** `npm run attack`: attacks on the command line. One JSON line on standard output, progress on standard error. */
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { numberBetween, repeated, wholeNumber } from '../../cli/options.ts';
import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';
import { printProgress } from '../../testkit/print-progress.ts';
import { attacksOf } from './attack-kinds.ts';
import { isSound, runAttack } from './attack-run.ts';
import { withFewDescriptors } from './few-descriptors.ts';

type Options = {
  images: number;
  healthy: number;
  hosts: number;
  seed: number;
  minutes: number;
  workers: number;
  descriptors: number;
  maxSlowdown: number;
  maxRss: number;
  behaviour: string[];
  logFile?: string;
};

const program = new Command('attack')
  .description(
    'Classifies images of hosts that do their worst, with healthy ones beside them, and counts what became of them.',
  )
  .option('--images <n>', 'hostile images of a round', wholeNumber(1, 100_000), 1_000)
  .option('--healthy <n>', 'healthy images beside them', wholeNumber(1, 100_000), 2_000)
  .option('--hosts <n>', 'hosts that the hostile images are on', wholeNumber(1, 2_000), 300)
  .option(
    '--seed <n>',
    'repeats which attack comes where (default: from the clock)',
    wholeNumber(0, 2 ** 31 - 1),
    Date.now() % 2 ** 31,
  )
  .option('--minutes <n>', 'begin rounds until then, at least one', numberBetween(0, 10_000), 0)
  .option('--workers <n>', 'worker processes', wholeNumber(1, 64), 2)
  .option('--descriptors <n>', 'open files that a process may have, as on Lambda', wholeNumber(128, 1_048_576), 1_024)
  .option('--max-slowdown <x>', 'how much longer healthy images may take than alone', numberBetween(1, 1_000), 2)
  .option('--max-rss <MB>', 'what a worker may hold: that of Lambda', wholeNumber(1, 1_000_000), FUNCTION_MEMORY_MB)
  .option('--behaviour <start>', 'only behaviours whose names start so; may be repeated (default: all)', repeated, [])
  .option('--log-file <path>', 'what the workers write (default: a file in the temporary folder)')
  .allowExcessArguments(false)
  .parse();
const { descriptors, maxSlowdown, maxRss, behaviour, logFile, ...options } = program.opts<Options>();
const attacks = attacksOf(behaviour);
if (attacks.length === 0) program.error(`error: expected the start of a behaviour's name, got ${behaviour.join(', ')}`);

await withFewDescriptors(descriptors, async () => {
  const logPath = logFile ?? join(tmpdir(), `labelqueue-attack-${options.seed}.log`);
  const log = createWriteStream(logPath);
  printProgress(`seed ${options.seed}, the workers' log is ${logPath}`);
  const { complaints, ...report } = await runAttack({
    ...options,
    attacks,
    timing: { functionTimeoutSeconds: 60, fetchTimeoutSeconds: 2, retryBaseSeconds: 0.5, giveUpSeconds: 600 },
    onLog: (text) => log.write(text),
    onProgress: printProgress,
  });
  log.end();
  for (const complaint of complaints) printProgress(complaint);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return isSound(report, { maxSlowdown, maxRss }) ? 0 : 1;
});
