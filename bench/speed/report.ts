import Table from 'cli-table3';
import { INFERENCE_BATCH_SIZE } from '../../shared/contract/limits.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import type { Stages } from './measure-stages.ts';
import { BASELINE, type Kind, LARGE } from './pictures.ts';
import type { WorkerRun } from './run-worker.ts';

export type MeasuredRun = WorkerRun & { imagesPerSecond: number };

/** What every program did on one core of one kind of processor, by repetition. */
export type ProcessorFigures = {
  stages: Stages[];
  ours: MeasuredRun[];
  /** With MODEL_PRECISION=float32. */
  inFloats: MeasuredRun[];
  peers: Record<string, MeasuredRun[]>;
};

/** What is measured natively alone: it depends little on the processor. */
export type NativeFigures = ProcessorFigures & {
  twoCores: MeasuredRun[];
  slow: MeasuredRun[];
  large: MeasuredRun[];
};

/** All repetitions of everything that was measured; `avx2` is missing where CPUID cannot be trapped. */
export type Figures = { avx2?: ProcessorFigures; native: NativeFigures };

/** The share of images with the same best class as our worker's, by peer. */
export type Agreement = Readonly<Record<string, number>>;

export type Ratios = Record<string, Spread>;

/** Ratios within one repetition, since the machine is not the same from one to the next. */
export function ratiosOf({ avx2, native }: Figures): { avx2?: Ratios; native: Ratios } {
  return {
    ...(avx2 !== undefined && {
      avx2: {
        ...processorRatios(avx2),
        toNative: eachOf(avx2, (index) => rate(avx2.ours, index) / rate(native.ours, index)),
      },
    }),
    native: { ...processorRatios(native), ...nativeRatios(native) },
  };
}

function processorRatios(figures: ProcessorFigures): Ratios {
  const { stages, ours, inFloats, peers } = figures;
  const each = (ratio: (index: number) => number) => eachOf(figures, ratio);
  const better = (index: number) => Math.max(...Object.values(peers).map((runs) => rate(runs, index)));
  return {
    ofLimit: each((index) => rate(ours, index) / limitOf(stages[index] as Stages)),
    ...(Object.keys(peers).length > 0 && {
      toBetterPeer: each((index) => rate(ours, index) / better(index)),
      inFloatsToBetterPeer: each((index) => rate(inFloats, index) / better(index)),
    }),
  };
}

function nativeRatios(figures: NativeFigures): Ratios {
  const { stages, ours, twoCores, slow, large } = figures;
  const each = (ratio: (index: number) => number) => eachOf(figures, ratio);
  return {
    twoCoresToOne: each((index) => rate(twoCores, index) / rate(ours, index)),
    slowServersToFast: each((index) => rate(slow, index) / rate(ours, index)),
    largeToOrdinaryDecode: each(
      (index) => decode(stages[index] as Stages, LARGE) / decode(stages[index] as Stages, BASELINE),
    ),
    maxRssMb: spreadOf([...ours, ...slow, ...twoCores].map(({ maxRssMb }) => maxRssMb)),
    maxRssMbOfLarge: spreadOf(large.map(({ maxRssMb }) => maxRssMb)),
  };
}

function eachOf({ ours }: ProcessorFigures, ratio: (index: number) => number): Spread {
  return spreadOf(ours.map((_, index) => ratio(index)));
}

function rate(runs: readonly MeasuredRun[], index: number): number {
  return runs[index]?.imagesPerSecond ?? Number.NaN;
}

/** Images per second that decode and inference alone would allow on one core. */
export function limitOf(stages: Stages): number {
  return 1_000 / (decode(stages, BASELINE) + (stages.inference[INFERENCE_BATCH_SIZE] as number));
}

function decode(stages: Stages, kind: Kind): number {
  return stages.decode[kind];
}

const TITLES = {
  avx2: 'under AVX2, the processor that AWS documents for Lambda on x86_64',
  native: 'natively, with all that this processor has',
} as const;

/** What a person reads: AVX2 first. */
export function tablesOf(figures: Figures, agreement: { avx2?: Agreement; native: Agreement }): string {
  const ratios = ratiosOf(figures);
  return (['avx2', 'native'] as const)
    .flatMap((half) => {
      const measured = figures[half];
      if (measured === undefined) return [];
      return [`${TITLES[half]}\n${tableOf(measured, ratios[half] ?? {}, agreement[half] ?? {})}`];
    })
    .join('\n');
}

function tableOf(figures: ProcessorFigures | NativeFigures, ratios: Ratios, agreement: Agreement): string {
  const table = new Table({ head: ['', 'median', 'least', 'most', ''], style: { head: [], border: [] } });
  const add = (what: string, values: readonly number[], unit: string, digits = 1) => {
    const { median, least, most } = spreadOf(values);
    table.push([what, ...[median, least, most].map((value) => value.toFixed(digits)), unit]);
  };
  const rates = (what: string, runs: readonly MeasuredRun[]) =>
    add(
      what,
      runs.map(({ imagesPerSecond }) => imagesPerSecond),
      'images/s',
    );
  addStages(figures.stages, add);
  add('limit: decode and inference alone', figures.stages.map(limitOf), 'images/s');
  rates('labelqueue, SQS to S3, one core', figures.ours);
  rates('labelqueue, 32-bit floats', figures.inFloats);
  if ('twoCores' in figures) {
    rates('labelqueue, two cores', figures.twoCores);
    rates('labelqueue, servers that take 300 ms', figures.slow);
    rates('labelqueue, 4000x3000 JPEG', figures.large);
  }
  for (const [name, runs] of Object.entries(figures.peers)) {
    rates(`${name}, same best class in ${((agreement[name] ?? 0) * 100).toFixed(0)} %`, runs);
  }
  for (const [name, { median, least, most }] of Object.entries(ratios)) {
    const { title, unit, digits } = RATIOS[name] ?? { title: name, unit: 'ratio', digits: 2 };
    table.push([title, ...[median, least, most].map((value) => value.toFixed(digits)), unit]);
  }
  return `${table.toString()}\n`;
}

type Add = (what: string, values: readonly number[], unit: string, digits?: number) => void;

function addStages(stages: readonly Stages[], add: Add): void {
  const each = (value: (one: Stages) => number) => stages.map(value);
  for (const kind of Object.keys(stages[0]?.decode ?? {}) as Kind[]) {
    add(
      `decode, ${kind}`,
      each((one) => decode(one, kind)),
      'ms per image',
    );
  }
  for (const size of Object.keys(stages[0]?.inference ?? {}).map(Number)) {
    add(
      `inference, batch of ${size}`,
      each(({ inference }) => inference[size] as number),
      'ms per image',
    );
  }
  add(
    'fetch from loopback',
    each(({ fetch }) => fetch),
    'ms per image',
    2,
  );
  add(
    'JSON and S3 write, 100 lines',
    each(({ write }) => write),
    'ms per image',
    3,
  );
}

const RATIOS: Record<string, { title: string; unit: string; digits: number }> = {
  ofLimit: ratio('labelqueue to its limit'),
  toBetterPeer: ratio('labelqueue to the better peer'),
  inFloatsToBetterPeer: ratio('labelqueue, 32-bit floats, to it'),
  toNative: ratio('labelqueue to itself natively'),
  twoCoresToOne: ratio('two cores to one'),
  slowServersToFast: ratio('slow servers to fast ones'),
  largeToOrdinaryDecode: ratio('decode, 4000x3000 to 640x427'),
  maxRssMb: { title: 'memory at most', unit: 'MB', digits: 0 },
  maxRssMbOfLarge: { title: 'memory at most, 4000x3000 JPEG', unit: 'MB', digits: 0 },
};

function ratio(title: string) {
  return { title, unit: 'ratio', digits: 2 };
}
