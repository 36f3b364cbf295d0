import type { Stages } from '../speed/measure-stages.ts';
import { BASELINE, type Kind } from '../speed/pictures.ts';
import {
  type Figures,
  limitOf,
  type MeasuredRun,
  type ProcessorFigures,
  type Ratios,
  ratiosOf,
} from '../speed/report.ts';
import { type Spread, spreadOf } from '../statistics.ts';

/** What `npm run bench` writes into `bench/results/`. */
export type BenchmarkResults = { machine: { cpu?: string }; repetitions: number; figures: Figures };

const HALVES = ['avx2', 'native'] as const;

/** The tables of docs/benchmark.md, AVX2 first: images per second, ratios, and the stages alone. */
export function benchmarkTables(results: BenchmarkResults): string {
  return [headLine(results), ratesTable(results), ratiosTable(results), stagesTable(results)].join('\n\n');
}

function headLine({ machine: { cpu = 'unknown' }, repetitions, figures }: BenchmarkResults): string {
  const halves =
    figures.avx2 === undefined
      ? 'CPUID cannot be trapped there, so nothing was measured under AVX2'
      : 'both halves in one run';
  return `${cpu}, ${repetitions} ${repetitions === 1 ? 'repetition' : 'repetitions'}; ${halves}:`;
}

type Row = { title: string; runs(of: ProcessorFigures): readonly number[] | undefined };

function ratesTable({ figures }: BenchmarkResults): string {
  const peers = Object.keys(figures.native.peers);
  const rows: Row[] = [
    { title: 'limit: decode and inference alone', runs: ({ stages }) => stages.map(limitOf) },
    { title: 'labelqueue, one core', runs: ({ ours }) => rates(ours) },
    { title: 'labelqueue in 32-bit floats, one core', runs: ({ inFloats }) => rates(inFloats) },
    ...peers.map((name) => ({ title: name, runs: (of: ProcessorFigures) => rates(of.peers[name] ?? []) })),
    { title: 'labelqueue, two cores', runs: (of) => onlyNative(of, 'twoCores') },
    { title: 'labelqueue, servers that take 300 ms', runs: (of) => onlyNative(of, 'slow') },
    { title: 'labelqueue, 12-megapixel JPEG', runs: (of) => onlyNative(of, 'large') },
  ];
  const cells = rows.map(({ title, runs }) => [
    title,
    ...HALVES.map((half) => spreadText(ofHalf(figures, half, runs), 1)),
  ]);
  return table(['images/s: median (minimum to maximum)', 'AVX2', 'native'], cells);
}

function ratiosTable({ figures }: BenchmarkResults): string {
  const { avx2 = {}, native } = ratiosOf(figures);
  const cells = Object.entries(RATIOS).map(([name, { title, digits }]) => [
    title,
    ...[avx2, native].map((ratios: Ratios) => spreadText(ratios[name], digits)),
  ]);
  return table(['ratio within a repetition', 'AVX2', 'native'], cells);
}

function stagesTable({ figures }: BenchmarkResults): string {
  const [first] = figures.native.stages;
  const kinds = Object.keys(first?.decode ?? { [BASELINE]: 0 }) as Kind[];
  const sizes = Object.keys(first?.inference ?? {}).map(Number);
  const rows: { title: string; digits: number; value(of: Stages): number | undefined }[] = [
    ...kinds.map((kind) => ({ title: `decode, ${kind}`, digits: 1, value: ({ decode }: Stages) => decode[kind] })),
    ...sizes.map((size) => ({
      title: `inference, batch of ${size}`,
      digits: 1,
      value: ({ inference }: Stages) => inference[size],
    })),
    { title: 'fetch from loopback', digits: 2, value: ({ fetch }) => fetch },
    { title: 'JSON and S3 write, 100 lines', digits: 3, value: ({ write }) => write },
  ];
  const cells = rows.map(({ title, digits, value }) => [
    title,
    ...HALVES.map((half) =>
      spreadText(
        ofHalf(figures, half, ({ stages }) => stages.flatMap((one) => value(one) ?? [])),
        digits,
      ),
    ),
  ]);
  return table(['ms per image, each stage alone', 'AVX2', 'native'], cells);
}

const RATIOS: Record<string, { title: string; digits: number }> = {
  ofLimit: { title: 'worker / its limit', digits: 2 },
  toBetterPeer: { title: 'worker / better peer', digits: 2 },
  inFloatsToBetterPeer: { title: 'worker in 32-bit floats / better peer', digits: 2 },
  toNative: { title: 'worker under AVX2 / native worker', digits: 2 },
  twoCoresToOne: { title: 'two cores / one core', digits: 2 },
  slowServersToFast: { title: 'slow servers / fast servers', digits: 2 },
  largeToOrdinaryDecode: { title: 'decode time, 12 megapixels / 640x427', digits: 2 },
  maxRssMb: { title: 'peak memory, MB', digits: 0 },
  maxRssMbOfLarge: { title: 'peak memory with 12-megapixel images, MB', digits: 0 },
};

function ofHalf(figures: Figures, half: (typeof HALVES)[number], values: Row['runs']): Spread | undefined {
  const of = figures[half];
  const found = of === undefined ? undefined : values(of);
  return found === undefined || found.length === 0 ? undefined : spreadOf(found);
}

function onlyNative(of: ProcessorFigures, what: 'twoCores' | 'slow' | 'large'): readonly number[] | undefined {
  return what in of ? rates((of as Figures['native'])[what]) : undefined;
}

function rates(runs: readonly MeasuredRun[]): number[] {
  return runs.map(({ imagesPerSecond }) => imagesPerSecond);
}

/** Empty where nothing was measured. */
function spreadText(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return '';
  const [median, least, most] = [spread.median, spread.least, spread.most].map((value) => value.toFixed(digits));
  return `${median} (${least} to ${most})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
