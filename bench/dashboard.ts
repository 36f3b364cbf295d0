/** `npm run bench:dashboard`: what the dashboard's first listing of a large job takes, and each poll after it. */
import Table from 'cli-table3';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { JobFiles } from '../dashboard/server/job-files.ts';
import { startLargeJobs } from '../testkit/large-jobs.ts';
import { largeJob } from './client/large-job-command.ts';
import { median } from './statistics.ts';

type Options = { parts: number; latency: number; times: number };
type Cost = { seconds: number; cpuSeconds: number };

const { parts, latency, times } = new Command('bench:dashboard')
  .description('Measures how long the dashboard takes to list the part files of a job.')
  .option('--parts <n>', 'part files of the job', wholeNumber(1, 100_000), 10_000)
  .option('--latency <ms>', 'before each answer of S3', wholeNumber(0, 10_000), 80)
  .option('--times <n>', 'repetitions, of which the median is printed', wholeNumber(1, 1_000), 7)
  .allowExcessArguments(false)
  .parse()
  .opts<Options>();

const job = largeJob(parts, { remaining: 1_000 });
await using server = await startLargeJobs({ jobs: [job], latencyMs: latency });
// Compiles what is measured.
await new JobFiles(server.target, job).look();
const first: Cost[] = [];
const later: Cost[] = [];
while (first.length < times) {
  const files = new JobFiles(server.target, job);
  first.push(await costOf(() => look(files)));
  later.push(await costOf(() => look(files)));
}
const table = new Table({ head: ['', 'seconds', 'of these computing'], style: { head: [], border: [] } });
table.push(['first listing', ...cells(first)], ['each later poll', ...cells(later)]);
process.stdout.write(`${parts.toLocaleString('en')} part files, ${latency} ms per request\n${table}\n`);

/** With the counts, which are added up from the names. */
async function look(files: JobFiles): Promise<void> {
  await files.look();
  if (files.tally.parts !== parts) throw new Error(`expected ${parts} part files, got ${files.tally.parts}`);
}

async function costOf(run: () => Promise<void>): Promise<Cost> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

function cells(costs: readonly Cost[]): string[] {
  const middle = (of: (cost: Cost) => number) => median(costs.map(of)).toFixed(2);
  return [middle(({ seconds }) => seconds), middle(({ cpuSeconds }) => cpuSeconds)];
}
