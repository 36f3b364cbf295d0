/** `npm run bench`: how fast is the worker, beside the limit that its own stages set, and beside its peers? */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { VISIBILITY_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import type { OwnAws } from '../test/support/own-aws.ts';
import { startOwnProcess } from '../test/support/own-process.ts';
import { installPeers } from './speed/install-peers.ts';
import {
  bestClasses,
  LARGE_WORK,
  measureStages,
  measureWorkers,
  ORDINARY_WORK,
  SERVER_CORE,
  SHARED_WORK,
  SLOW_WORK,
  WORKER_CORE,
} from './speed/measure.ts';
import type { PhotoServer } from './speed/photo-server.ts';
import { nodeProgram, ourFloatProgram, ourProgram, pythonProgram } from './speed/programs.ts';
import { type Figures, ratiosOf, tableOf } from './speed/report.ts';

const { repetitions, peers: withPeers } = new Command('bench')
  .description('Measures the worker on one core, the limit that its stages set, and two peers.')
  .option('--repetitions <n>', 'of everything; medians are printed', wholeNumber(1, 50), 5)
  .option('--no-peers', 'leave the peers out')
  .allowExcessArguments(false)
  .parse()
  .opts<{ repetitions: number; peers: boolean }>();

// The servers inherit it; each worker is pinned to its own.
pinTo(SERVER_CORE);
await using aws = await startOwnProcess<OwnAws>('own-aws.ts', String(VISIBILITY_TIMEOUT_SECONDS));
await using photoServer = await startOwnProcess<PhotoServer>('../../bench/speed/photo-server.ts');
const { hosts: photos } = photoServer.report;
const services = { environment: aws.report.environment, photos };
const ours = ourProgram(services);
const inFloats = ourFloatProgram(services);
const peers = withPeers
  ? await installPeers(say).then((made) => [pythonProgram(services, made), nodeProgram(services, made)])
  : [];

const figures: Figures = { stages: [], ours: [], inFloats: [], twoCores: [], slow: [], large: [], peers: {} };
for (let repetition = 1; repetition <= repetitions; repetition++) {
  say(`repetition ${repetition} of ${repetitions}`);
  const run = (program = ours, work = ORDINARY_WORK, cores = [WORKER_CORE]) =>
    measureWorkers(program, cores, work, aws.report, photos);
  figures.stages.push(await measureStages(services));
  figures.inFloats.push(await run(inFloats, { ...ORDINARY_WORK, job: 'floats' }));
  figures.ours.push(await run());
  for (const peer of peers) figures.peers[peer.name] = [...(figures.peers[peer.name] ?? []), await run(peer)];
  figures.slow.push(await run(ours, SLOW_WORK));
  figures.large.push(await run(ours, LARGE_WORK));
  figures.twoCores.push(await run(ours, SHARED_WORK, [WORKER_CORE, SERVER_CORE]));
}
const agreement = withPeers ? await agreementOfPeers() : {};

process.stdout.write(tableOf(figures, agreement));
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGb: totalmem() / 2 ** 30,
  kernel: release(),
  node: process.version,
};
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().slice(0, 10)}.json`);
writeFileSync(
  file,
  `${JSON.stringify({ machine, repetitions, ratios: ratiosOf(figures), agreement, figures }, undefined, 2)}\n`,
);
say(`written to ${relative(process.cwd(), file)}`);

/** The share of images for which a peer has the same best class as our worker. */
async function agreementOfPeers(): Promise<Record<string, number>> {
  const ofOurs = await bestClasses(`results/job=${ORDINARY_WORK.job}/`, aws.report);
  const shares: Record<string, number> = {};
  for (const [name, prefix] of [
    ['Python, TensorFlow', 'python/'],
    ['Node, onnxruntime', 'node/'],
  ] as const) {
    const ofPeer = await bestClasses(prefix, aws.report);
    const same = [...ofPeer].filter(([id, classId]) => ofOurs.get(id) === classId).length;
    shares[name] = same / ofPeer.size;
  }
  return shares;
}

function pinTo(core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
