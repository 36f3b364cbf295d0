import { VISIBILITY_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { BENCHMARK } from '../../shared/cost.ts';
import { startAwsProcess } from '../../testkit/aws-process.ts';
import { startChildModule } from '../../testkit/child-module.ts';
import { pinToCore } from '../pin-to-core.ts';
import { BASELINE_WORK, measureWorkers, SERVER_CORE, SHARED_WORK, WORKER_CORE, type Work } from '../speed/measure.ts';
import type { PhotoServer } from '../speed/photo-server.ts';
import { ourProgram } from '../speed/programs.ts';
import type { NativeFigures } from '../speed/report.ts';
import { spreadOf } from '../statistics.ts';
import type { Scenario } from './scenario.ts';
import { DEPLOYED } from './scenarios.ts';
import { simulate } from './simulate.ts';

/** Eleven full batches: two workers cannot share them evenly, so half the time of one is not the answer. */
const WORK: Work = { ...BASELINE_WORK, job: 'scale', images: 2_200, perMessage: 20 };

/** Seconds that real workers took and that the simulation says. */
export type Comparison = { measured: number; simulated: number };
export type Check = {
  /** With the time an image takes from the results file of this machine's processor. */
  oneWorker: Comparison;
  /** With the time an image took the one worker just before. */
  twoWorkers: Comparison;
};

/** Lets one and then two warm workers, each on its own core, empty a queue, so many times. */
export async function checkAgainstWorkers(repetitions: number, onProgress: (what: string) => void): Promise<Check[]> {
  // The servers inherit it; each worker is pinned to its own.
  pinToCore(SERVER_CORE);
  await using aws = await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS });
  await using photoServer = await startChildModule<PhotoServer>(new URL('../speed/photo-server.ts', import.meta.url));
  const { hosts: photos } = photoServer.report;
  const program = ourProgram({ environment: aws.report.environment, photos });
  const secondsOf = async (cores: readonly number[]) =>
    (await measureWorkers({ program, cores, work: WORK, aws: aws.report, photos })).seconds;
  const checks: Check[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    onProgress(`repetition ${repetition} of ${repetitions}`);
    const one = await secondsOf([WORKER_CORE]);
    const two = await secondsOf([WORKER_CORE, SERVER_CORE]);
    checks.push({
      oneWorker: { measured: one, simulated: simulatedSeconds(WORK, 1, BENCHMARK.vnni.millisecondsPerImage / 1_000) },
      twoWorkers: { measured: two, simulated: simulatedSeconds(WORK, 2, one / WORK.images) },
    });
  }
  return checks;
}

/** The benchmark's runs with two workers, simulated with the time an image took one worker in the same repetition. */
export function benchmarkChecks({ ours, twoCores }: Pick<NativeFigures, 'ours' | 'twoCores'>): Comparison[] {
  return twoCores.map(({ seconds }, repetition) => {
    const { imagesPerSecond = Number.NaN } = ours[repetition] ?? {};
    return { measured: seconds, simulated: simulatedSeconds(SHARED_WORK, 2, 1 / imagesPerSecond) };
  });
}

function simulatedSeconds({ images, perMessage }: Work, workers: number, secondsPerImage: number): number {
  const scenario: Scenario = {
    ...DEPLOYED,
    images,
    imagesPerMessage: perMessage,
    bytesPerMessage: (DEPLOYED.bytesPerMessage / DEPLOYED.imagesPerMessage) * perMessage,
    pollers: { kind: 'on demand', maximumConcurrency: workers },
    secondsPerImage,
    coldStartSeconds: 0,
  };
  return simulate(scenario).seconds;
}

/** Medians, as a Markdown table; the ratios are those within a repetition. */
export function checkTable(checks: readonly Check[], ofBenchmark: readonly Comparison[]): string {
  return [
    '| | images | simulated | measured | measured / simulated |',
    '|---|---|---|---|---|',
    row(
      "one worker, with the benchmark's time per image",
      WORK,
      checks.map(({ oneWorker }) => oneWorker),
    ),
    row(
      'two workers, with the time per image of one worker just before',
      WORK,
      checks.map(({ twoWorkers }) => twoWorkers),
    ),
    row("the benchmark's two workers, with the time per image of its one worker", SHARED_WORK, ofBenchmark),
  ].join('\n');
}

function row(what: string, { images }: Work, comparisons: readonly Comparison[]): string {
  const { median: measured } = spreadOf(comparisons.map((each) => each.measured));
  const { median: simulated } = spreadOf(comparisons.map((each) => each.simulated));
  const ratio = spreadOf(comparisons.map((each) => each.measured / each.simulated));
  const range = `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`;
  return `| ${what} | ${images.toLocaleString('en')} | ${simulated.toFixed(1)} s | ${measured.toFixed(1)} s | ${range} |`;
}
