import { FUNCTION_MEMORY_MB } from './limits.ts';

/** The processor architectures of Lambda, as AWS names them; the first one is the default of a stage. */
export const ARCHITECTURES = ['x86_64', 'arm64'] as const;

/** A processor architecture of Lambda. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** The machine of a worker, as far as its price depends on it. */
export type WorkerMachine = { architecture: Architecture; memoryMb: number };

/** The working time of workers on one type of machine, in milliseconds: what Lambda bills. */
export type WorkerTime = WorkerMachine & { milliseconds: number };

/** Architectures in part keys. */
const LETTERS = { x86_64: 'x', arm64: 'a' } as const satisfies Record<Architecture, string>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The machine of this process.
 *
 * @param environment with the variable that Lambda sets; workers elsewhere count with the default memory of a stage
 * @param processor as in `process.arch`
 */
export function thisMachine(environment: Environment, processor: string): WorkerMachine {
  const memoryMb = Number(environment['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']);
  return {
    architecture: processor === 'arm64' ? 'arm64' : 'x86_64',
    memoryMb: Number.isSafeInteger(memoryMb) && memoryMb > 0 ? memoryMb : FUNCTION_MEMORY_MB,
  };
}

/** E.g. `9731x1769`: milliseconds, a letter for the architecture, and MB of memory. */
export function formatWorkerTime({ milliseconds, architecture, memoryMb }: WorkerTime): string {
  return `${Math.round(milliseconds)}${LETTERS[architecture]}${memoryMb}`;
}

/** What {@link formatWorkerTime} returns, as a regular expression. */
export const WORKER_TIME_PATTERN = '\\d{1,12}[xa]\\d{1,6}';

/** Parses what {@link formatWorkerTime} returns; undefined for anything else. */
export function parseWorkerTime(text: string): WorkerTime | undefined {
  const [, milliseconds, letter, memoryMb] = /^(\d{1,12})([xa])(\d{1,6})$/.exec(text) ?? [];
  if (letter === undefined) return undefined;
  return {
    milliseconds: Number(milliseconds),
    architecture: letter === LETTERS.arm64 ? 'arm64' : 'x86_64',
    memoryMb: Number(memoryMb),
  };
}
