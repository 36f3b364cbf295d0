/** `npm run chaos`: a chaos run on the command line. One JSON line on standard output, progress on standard error. */
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumber } from '../../cli/options.ts';
import { printProgress } from '../../testkit/print-progress.ts';
import { type ChaosReport, runChaos } from './chaos-run.ts';

const { images, seed, kills, logFile, work, queue } = new Command('chaos')
  .description('Classifies images while workers are killed and AWS fails, and counts what became of them.')
  .option('--images <n>', 'images to enqueue', wholeNumber(1, 1_000_000), 3_000)
  .option(
    '--seed <n>',
    'repeats what is done to a run (default: from the clock)',
    wholeNumber(0, 2 ** 31 - 1),
    Date.now() % 2 ** 31,
  )
  .option('--kills <n>', 'how often a worker is killed', wholeNumber(0, 1_000), 12)
  .option('--work', 'with `labelqueue work`, also stopped for 30 s and without heartbeats, in place of Lambda')
  .addOption(new Option('--queue <which>', 'whose queues').choices(['embedded', 'elasticmq']).default('embedded'))
  .option('--log-file <path>', 'what the workers write (default: a file in the temporary folder)')
  .allowExcessArguments(false)
  .parse()
  .opts<{
    images: number;
    seed: number;
    kills: number;
    logFile?: string;
    work?: true;
    queue: 'embedded' | 'elasticmq';
  }>();

/** Between two kills: they shall be spread over the work, which takes about 25 ms an image. */
const everyMs = Math.max(2_000, (images * 25) / kills);
const logPath = logFile ?? join(tmpdir(), `labelqueue-chaos-${seed}.log`);
const log = createWriteStream(logPath);
printProgress(`seed ${seed}, the workers' log is ${logPath}`);

const { complaints, ...report } = await runChaos({
  images,
  seed,
  queue,
  host: work ? 'work' : 'lambda',
  kills: { times: kills, everyMs },
  timing: {
    functionTimeoutSeconds: 15,
    fetchTimeoutSeconds: 2,
    retryBaseSeconds: 0.5,
    giveUpSeconds: 600 + images * 0.3,
    // Longer than the visibility timeout, which is a little more than the timeout of a function.
    stopSeconds: 30,
  },
  onLog: (text) => log.write(text),
  onProgress: printProgress,
});
log.end();
for (const complaint of complaints) printProgress(complaint);
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = isSound(report) ? 0 : 1;

function isSound(report: Omit<ChaosReport, 'complaints'>): boolean {
  const { lost, double, wrongOutcome, withoutDeadLetter, faultsInjected } = report;
  const wrong = lost + double + wrongOutcome + withoutDeadLetter + report.unclean;
  // Without deaths and faults, a run would have proved nothing.
  return wrong === 0 && report.isAnnounced && report.ends === 1 && report.kills >= kills && faultsInjected > 0;
}
