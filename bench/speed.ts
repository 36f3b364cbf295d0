/** `npm run bench`: how fast is the worker, beside the limit that its own stages set, and beside its peers? */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { VISIBILITY_TIMEOUT_SECONDS } from '../shared/contract/limits.ts';
import { startAwsProcess } from '../testkit/aws-process.ts';
import { startChildModule } from '../testkit/child-module.ts';
import { printProgress } from '../testkit/print-progress.ts';
import { librariesByCpuid, prepareAvx2Only } from './avx2/avx2-only.ts';
import { pinToCore } from './pin-to-core.ts';
import { installPeers } from './speed/install-peers.ts';
import {
  BASELINE_WORK,
  bestClasses,
  forgetResults,
  LARGE_WORK,
  measureStages,
  measureWorkers,
  SERVER_CORE,
  SHARED_WORK,
  SLOW_WORK,
  WORKER_CORE,
  type Work,
} from './speed/measure.ts';
import type { PhotoServer } from './speed/photo-server.ts';
import { nodeProgram, ourFloatProgram, ourProgram, pythonProgram, withEnvironment } from './speed/programs.ts';
import { type Agreement, type Figures, type ProcessorFigures, ratiosOf, tablesOf } from './speed/report.ts';

type Options = { repetitions: number; images: number; peers: boolean; avx2: boolean };

const {
  repetitions,
  images,
  peers: withPeers,
  avx2: withAvx2,
} = new Command('bench')
  .description(
    'Measures the worker on one core, the limit that its stages set, and two peers: natively and under AVX2.',
  )
  .option('--repetitions <n>', 'of everything; medians are printed', wholeNumber(1, 50), 5)
  .option('--images <n>', 'per run; fewer are quick and say little', wholeNumber(100, 100_000), BASELINE_WORK.images)
  .option('--no-peers', 'leave the peers out')
  .option('--no-avx2', 'leave out the half under AVX2')
  .allowExcessArguments(false)
  .parse()
  .opts<Options>();

const FOLDER = join(import.meta.dirname, 'results');
const PEERS = { 'Python, TensorFlow': 'python/', 'Node, onnxruntime': 'node/' } as const;

const installed = withPeers ? await installPeers(printProgress) : undefined;
const avx2Only = withAvx2
  ? await prepareAvx2Only(
      join(import.meta.dirname, '../.labelqueue/bench'),
      installed === undefined ? [] : librariesByCpuid(installed.nodeFolder),
    )
  : { reason: '--no-avx2' };
if ('reason' in avx2Only) printProgress(`the half under AVX2 is left out: ${avx2Only.reason}`);
else printProgress(`under AVX2: CPUID is ${avx2Only.how}`);

// The servers inherit it; each worker is pinned to its own.
pinToCore(SERVER_CORE);
await using aws = await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS });
await using photoServer = await startChildModule<PhotoServer>(new URL('./speed/photo-server.ts', import.meta.url));
const { hosts: photos } = photoServer.report;
const services = { environment: aws.report.environment, photos };
const ours = ourProgram(services);
const inFloats = ourFloatProgram(services);
const peers = installed === undefined ? [] : [pythonProgram(services, installed), nodeProgram(services, installed)];

const figures: Figures = {
  ...('environment' in avx2Only && { avx2: noFigures() }),
  native: { ...noFigures(), twoCores: [], slow: [], large: [] },
};
const agreement: { avx2?: Agreement; native: Agreement } = { native: {} };
for (let repetition = 1; repetition <= repetitions; repetition++) {
  printProgress(`repetition ${repetition} of ${repetitions}`);
  if (figures.avx2 !== undefined && 'environment' in avx2Only) {
    agreement.avx2 = await measureProcessor(figures.avx2, avx2Only.environment);
  }
  agreement.native = await measureProcessor(figures.native, {});
  figures.native.slow.push(await run(ours, SLOW_WORK));
  figures.native.large.push(await run(ours, LARGE_WORK));
  figures.native.twoCores.push(await run(ours, SHARED_WORK, [WORKER_CORE, SERVER_CORE]));
}

process.stdout.write(tablesOf(figures, agreement));
mkdirSync(FOLDER, { recursive: true });
const file = join(
  FOLDER,
  `${new Date().toISOString().slice(0, 10)}${images < BASELINE_WORK.images ? '-few' : ''}.json`,
);
const left = 'reason' in avx2Only ? { avx2LeftOut: avx2Only.reason } : { avx2By: avx2Only.how };
const document = { machine: machine(), repetitions, ...left, ratios: ratiosOf(figures), agreement, figures };
writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`);
printProgress(`written to ${relative(process.cwd(), file)}`);

function noFigures(): ProcessorFigures {
  return { stages: [], ours: [], inFloats: [], peers: {} };
}

/** One repetition of what every program does, with these variables. @returns how often the peers agree with the worker */
async function measureProcessor(
  into: ProcessorFigures,
  variables: Readonly<Record<string, string>>,
): Promise<Agreement> {
  into.stages.push(await measureStages(services, variables));
  into.inFloats.push(await run(withEnvironment(inFloats, variables), { ...BASELINE_WORK, job: 'floats' }));
  into.ours.push(await run(withEnvironment(ours, variables)));
  for (const peer of peers) {
    into.peers[peer.name] = [...(into.peers[peer.name] ?? []), await run(withEnvironment(peer, variables))];
  }
  const shares = await agreementOfPeers();
  // The other half must not be compared with these.
  await forgetResults(aws.report);
  return shares;
}

function run(program: typeof ours, work: Work = BASELINE_WORK, cores: readonly number[] = [WORKER_CORE]) {
  const share = images / BASELINE_WORK.images;
  const ofRun = { ...work, images: Math.round(work.images * share) };
  return measureWorkers({ program, cores, work: ofRun, aws: aws.report, photos });
}

/** The share of images for which a peer has the same best class as our worker. */
async function agreementOfPeers(): Promise<Agreement> {
  const ofOurs = await bestClasses(`results/job=${BASELINE_WORK.job}/`, aws.report);
  const shares: Record<string, number> = {};
  for (const { name } of peers) {
    const ofPeer = await bestClasses(PEERS[name as keyof typeof PEERS], aws.report);
    const same = [...ofPeer].filter(([id, classId]) => ofOurs.get(id) === classId).length;
    shares[name] = same / ofPeer.size;
  }
  return shares;
}

function machine() {
  const flags = /^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return {
    cpu: cpus()[0]?.model,
    flags: flags.filter((flag) => /^(avx|amx|f16c|fma)/.test(flag)),
    cores: cpus().length,
    memoryGb: totalmem() / 2 ** 30,
    kernel: release(),
    node: process.version,
  };
}
