import Table from 'cli-table3';
import type { Stages } from './measure-stages.ts';
import { type Kind, LARGE, ORDINARY } from './pictures.ts';
import type { WorkerRun } from './run-worker.ts';
import { spreadOf } from './statistics.ts';

export type MeasuredRun = WorkerRun & { imagesPerSecond: number };

/** All repetitions of everything that was measured. */
export type Figures = {
  stages: Stages[];
  ours: MeasuredRun[];
  /** Without the int8 model. */
  inFloats: MeasuredRun[];
  twoCores: MeasuredRun[];
  slow: MeasuredRun[];
  large: MeasuredRun[];
  peers: Record<string, MeasuredRun[]>;
};

/** The batch size that the worker uses. */
const BATCH = 8;

/** Ratios within one repetition, since the machine is not the same from one to the next. */
export function ratiosOf({ stages, ours, inFloats, twoCores, slow, large, peers }: Figures) {
  const each = (ratio: (index: number) => number) => spreadOf(ours.map((_, index) => ratio(index)));
  const rate = (runs: MeasuredRun[], index: number) => runs[index]?.imagesPerSecond ?? Number.NaN;
  const better = (index: number) => Math.max(...Object.values(peers).map((runs) => rate(runs, index)));
  return {
    ofLimit: each((index) => rate(ours, index) / limitOf(stages[index] as Stages)),
    ...(Object.keys(peers).length > 0 && {
      toBetterPeer: each((index) => rate(ours, index) / better(index)),
      inFloatsToBetterPeer: each((index) => rate(inFloats, index) / better(index)),
    }),
    twoCoresToOne: each((index) => rate(twoCores, index) / rate(ours, index)),
    slowServersToFast: each((index) => rate(slow, index) / rate(ours, index)),
    largeToOrdinaryDecode: each(
      (index) => decode(stages[index] as Stages, LARGE) / decode(stages[index] as Stages, ORDINARY),
    ),
    maxRssMb: spreadOf([...ours, ...slow, ...twoCores].map(({ maxRssMb }) => maxRssMb)),
    maxRssMbOfLarge: spreadOf(large.map(({ maxRssMb }) => maxRssMb)),
  };
}

/** Images a second that decode and inference alone would allow on one core. */
function limitOf(stages: Stages): number {
  return 1_000 / (decode(stages, ORDINARY) + (stages.inference[BATCH] as number));
}

function decode(stages: Stages, kind: Kind): number {
  return stages.decode[kind];
}

/** What a person reads. */
export function tableOf(figures: Figures, agreement: Readonly<Record<string, number>>): string {
  const table = new Table({ head: ['', 'median', 'least', 'most', ''], style: { head: [], border: [] } });
  const add = (what: string, values: readonly number[], unit: string, digits = 1) => {
    const { median, least, most } = spreadOf(values);
    table.push([what, ...[median, least, most].map((value) => value.toFixed(digits)), unit]);
  };
  const { stages } = figures;
  for (const kind of Object.keys(stages[0]?.decode ?? {}) as Kind[]) {
    add(
      `decode, ${kind}`,
      stages.map((one) => decode(one, kind)),
      'ms an image',
    );
  }
  for (const size of Object.keys(stages[0]?.inference ?? {}).map(Number)) {
    add(
      `inference, ${size} a batch`,
      stages.map(({ inference }) => inference[size] as number),
      'ms an image',
    );
  }
  add(
    'fetch from loopback',
    stages.map(({ fetch }) => fetch),
    'ms an image',
    2,
  );
  add(
    'JSON and S3 write, 100 lines',
    stages.map(({ write }) => write),
    'ms an image',
    3,
  );
  add('limit: decode and inference alone', stages.map(limitOf), 'images/s');
  const rates = (runs: readonly MeasuredRun[]) => runs.map(({ imagesPerSecond }) => imagesPerSecond);
  add('labelqueue, SQS to S3, one core', rates(figures.ours), 'images/s');
  add('labelqueue, 32-bit floats', rates(figures.inFloats), 'images/s');
  add('labelqueue, two cores', rates(figures.twoCores), 'images/s');
  add('labelqueue, servers that take 300 ms', rates(figures.slow), 'images/s');
  add('labelqueue, 4000x3000 JPEG', rates(figures.large), 'images/s');
  for (const [name, runs] of Object.entries(figures.peers)) {
    add(`${name}, same best class in ${((agreement[name] ?? 0) * 100).toFixed(0)} %`, rates(runs), 'images/s');
  }
  const { maxRssMb, maxRssMbOfLarge, ...ratios } = ratiosOf(figures);
  for (const [name, { median, least, most }] of Object.entries(ratios)) {
    table.push([RATIOS[name] ?? name, ...[median, least, most].map((value) => value.toFixed(2)), 'ratio']);
  }
  table.push(['memory at most', ...Object.values(maxRssMb).map((mb) => mb.toFixed(0)), 'MB']);
  table.push(['memory at most, 4000x3000 JPEG', ...Object.values(maxRssMbOfLarge).map((mb) => mb.toFixed(0)), 'MB']);
  return `${table.toString()}\n`;
}

const RATIOS: Record<string, string> = {
  ofLimit: 'labelqueue to its limit',
  toBetterPeer: 'labelqueue to the better peer',
  inFloatsToBetterPeer: 'labelqueue, 32-bit floats, to it',
  twoCoresToOne: 'two cores to one',
  slowServersToFast: 'slow servers to fast ones',
  largeToOrdinaryDecode: 'decode, 4000x3000 to 640x427',
};
