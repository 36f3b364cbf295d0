import {
  INSTANCE_FAMILIES,
  type InstanceFamily,
  instanceFamilyOf,
  instanceFamilyWith,
  OTHER_FAMILY_NUMBER,
} from './instance-families.ts';
import { FUNCTION_MEMORY_MB } from './limits.ts';

/** The processor architectures of Lambda, as AWS names them; the first one is the default of a stage. */
export const ARCHITECTURES = ['x86_64', 'arm64'] as const;

/** A processor architecture of Lambda. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** Where a worker runs: on Lambda, on an EC2 instance, or on a machine whose price is not known. */
export const WORKER_HOSTS = ['lambda', 'ec2', 'own'] as const;

/** One of {@link WORKER_HOSTS}. */
export type WorkerHost = (typeof WORKER_HOSTS)[number];

/** The machine of a worker, as far as its price depends on it. */
export type WorkerMachine = {
  host: WorkerHost;
  architecture: Architecture;
  /** Memory of the function; 0 outside Lambda. */
  memoryMb: number;
  /** On EC2, if its price is known, e.g. `c7a`. */
  instanceFamily?: string | undefined;
};

/** The working time of workers on one type of machine, in milliseconds: what Lambda bills. */
export type WorkerTime = WorkerMachine & { milliseconds: number };

/** Architectures in part keys. */
const LETTERS = { x86_64: 'x', arm64: 'a' } as const satisfies Record<Architecture, string>;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable with the machine of a process of `labelqueue work`: {@link OWN_MACHINE}, or an EC2 instance type. */
export const WORK_MACHINE_VARIABLE = 'WORK_MACHINE';
/** A machine that is not priced: one's own, or one of a service that this version has no price of. */
export const OWN_MACHINE = 'own';

/**
 * The machine of this process.
 *
 * @param environment with the variables that Lambda and `labelqueue work` set. Without them, as in `labelqueue local`, it
 *   counts as Lambda with the default memory of a stage
 * @param processor as in `process.arch`
 */
export function thisMachine(environment: Environment, processor: string): WorkerMachine {
  const architecture = processor === 'arm64' ? 'arm64' : 'x86_64';
  const work = environment[WORK_MACHINE_VARIABLE];
  if (work === OWN_MACHINE) return { host: 'own', architecture, memoryMb: 0 };
  if (work) return onInstance(architecture, instanceFamilyOf(work));
  const memoryMb = Number(environment['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']);
  const isKnown = Number.isSafeInteger(memoryMb) && memoryMb > 0;
  return { host: 'lambda', architecture, memoryMb: isKnown ? memoryMb : FUNCTION_MEMORY_MB };
}

function onInstance(architecture: Architecture, instanceFamily: InstanceFamily | undefined): WorkerMachine {
  return { host: 'ec2', architecture, memoryMb: 0, ...(instanceFamily !== undefined && { instanceFamily }) };
}

/** E.g. `9731x1769`: milliseconds, a letter for the architecture, and a number for the host; see {@link hostNumber}. */
export function formatWorkerTime({ milliseconds, ...machine }: WorkerTime): string {
  return `${Math.round(milliseconds)}${LETTERS[machine.architecture]}${hostNumber(machine)}`;
}

/**
 * MB of memory on Lambda, 0 on one's own machine, and on EC2 the number of the instance family after another 0. Earlier
 * versions read all of them as MB on Lambda: they count the same files, at no price and at about the right price.
 */
function hostNumber({ host, memoryMb, instanceFamily }: WorkerMachine): string {
  if (host === 'lambda') return String(memoryMb);
  if (host === 'own') return '0';
  const family = instanceFamilyOf(instanceFamily ?? '');
  return `0${family === undefined ? OTHER_FAMILY_NUMBER : INSTANCE_FAMILIES[family]}`;
}

/** What {@link formatWorkerTime} returns, as a regular expression. */
export const WORKER_TIME_PATTERN = '\\d{1,12}[xa]\\d{1,6}';

/** Parses what {@link formatWorkerTime} returns; undefined for anything else. */
export function parseWorkerTime(text: string): WorkerTime | undefined {
  const [, milliseconds, letter, host] = /^(\d{1,12})([xa])(\d{1,6})$/.exec(text) ?? [];
  if (letter === undefined || host === undefined) return undefined;
  const architecture = letter === LETTERS.arm64 ? 'arm64' : 'x86_64';
  return { ...machineWith(architecture, host), milliseconds: Number(milliseconds) };
}

function machineWith(architecture: Architecture, host: string): WorkerMachine {
  const number = Number(host);
  if (!host.startsWith('0')) return { host: 'lambda', architecture, memoryMb: number };
  if (number === 0) return { host: 'own', architecture, memoryMb: 0 };
  return onInstance(architecture, instanceFamilyWith(number));
}
