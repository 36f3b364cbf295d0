import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  DAY_SECONDS,
  MAX_WORK_PROCESSES,
  WORK_DRAIN_SECONDS,
  WORK_PROCESS_MEMORY_MB,
} from '../shared/contract/limits.ts';
import { OWN_MACHINE, WORK_MACHINE_VARIABLE } from '../shared/contract/worker-time.ts';
import { SettingsError, workerSettingsFrom } from '../shared/settings.ts';
import type { SpotReasons } from './spot-notice.ts';

/** The variable of each setting of the loop; those of the handler are in `shared/settings.ts`. */
const VARIABLES = {
  processes: 'WORK_PROCESSES',
  drainSeconds: 'WORK_DRAIN_SECONDS',
  exitWhenEmptySeconds: 'WORK_EXIT_WHEN_EMPTY_SECONDS',
  port: 'WORK_PORT',
  host: 'WORK_HOST',
  spot: 'WORK_SPOT',
  processMemoryMb: 'WORK_PROCESS_MEMORY_MB',
  machine: WORK_MACHINE_VARIABLE,
} as const;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`);

const MACHINE = new RegExp(`^(${OWN_MACHINE}|[a-z][a-z0-9-]{0,20}\\.[a-z0-9-]{1,20})$`);

const schema = z.object({
  /** Processes that run the handler; by default one per core that this process may use. */
  processes: wholeNumber(1, MAX_WORK_PROCESSES).optional(),
  /** How long the loop may drain after a signal or a Spot notice. */
  drainSeconds: wholeNumber(0, DAY_SECONDS).default(WORK_DRAIN_SECONDS),
  /** Ends once the queue has been empty for this long; by default never. */
  exitWhenEmptySeconds: wholeNumber(0, DAY_SECONDS).optional(),
  /** The port of health and metrics, 0 for any free port; by default none. */
  port: wholeNumber(0, 65_535).optional(),
  /** The address to listen on. */
  host: z.string().min(1).default('127.0.0.1'),
  /** The notices in the EC2 instance metadata to act on; `true` and `1` mean all. */
  spot: z.enum(['true', 'false', '1', '0', 'interruption']).default('false').transform(spotReasons),
  /** A process that uses more memory after a batch is replaced. */
  processMemoryMb: wholeNumber(256, 1_000_000).default(WORK_PROCESS_MEMORY_MB),
  /** What it runs on, for the cost of jobs: an EC2 instance type, or a machine that is not priced. */
  machine: z.string().regex(MACHINE, 'expected an EC2 instance type, such as c7a.xlarge, or own').default(OWN_MACHINE),
});

/** The settings of `labelqueue work` in addition to those of the handler. */
export type WorkSettings = Omit<z.infer<typeof schema>, 'processes'> & {
  processes: number;
  queueUrl: string;
  deadLetterQueueUrl: string;
  resultsBucket: string;
  /** The name of the worker in logs. */
  serviceName: string;
};

/**
 * Reads the settings of the loop, and validates those of the handler: a mistake must be reported once, not by each process.
 *
 * @throws {SettingsError} naming each variable that is missing or wrong
 */
export function workSettingsFrom(environment: Readonly<Record<string, string | undefined>>): WorkSettings {
  const { queueUrl, deadLetterQueueUrl, resultsBucket, serviceName } = workerSettingsFrom(environment);
  const given = Object.fromEntries(
    // An empty variable is how shells and templates say "not set".
    Object.entries(VARIABLES).map(([field, variable]) => [field, environment[variable] || undefined]),
  );
  const { data, error } = schema.safeParse(given);
  if (data === undefined) throw new SettingsError(`wrong settings:\n${error.issues.map(describe(given)).join('\n')}`);
  const processes = data.processes ?? availableParallelism();
  return { ...data, processes, queueUrl, deadLetterQueueUrl, resultsBucket, serviceName };
}

function spotReasons(text: string): SpotReasons | undefined {
  if (text === 'interruption') return text;
  return text === 'true' || text === '1' ? 'all' : undefined;
}

function describe(given: Record<string, string | undefined>) {
  return ({ path, message }: z.core.$ZodIssue): string => {
    const field = String(path[0]) as keyof typeof VARIABLES;
    return `  ${VARIABLES[field]}=${JSON.stringify(given[field])}: ${message}`;
  };
}
