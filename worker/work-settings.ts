import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  DAY_SECONDS,
  MAX_WORK_PROCESSES,
  WORK_DRAIN_SECONDS,
  WORK_PROCESS_MEMORY_MB,
} from '../shared/contract/limits.ts';
import { SettingsError, workerSettingsFrom } from '../shared/settings.ts';
import type { SpotReasons } from './spot-notice.ts';

/** The variable of each setting of the loop; the handler's own are those of `shared/settings.ts`. */
const VARIABLES = {
  processes: 'WORK_PROCESSES',
  drainSeconds: 'WORK_DRAIN_SECONDS',
  exitWhenEmptySeconds: 'WORK_EXIT_WHEN_EMPTY_SECONDS',
  port: 'WORK_PORT',
  host: 'WORK_HOST',
  spot: 'WORK_SPOT',
  processMemoryMb: 'WORK_PROCESS_MEMORY_MB',
} as const;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`);

const schema = z.object({
  /** Processes that run the handler; one per core that this process may use unless set. */
  processes: wholeNumber(1, MAX_WORK_PROCESSES).optional(),
  /** How long work in hand may go on after a signal or a Spot notice. */
  drainSeconds: wholeNumber(0, DAY_SECONDS).default(WORK_DRAIN_SECONDS),
  /** Ends once the queue has been empty for so long; never without. */
  exitWhenEmptySeconds: wholeNumber(0, DAY_SECONDS).optional(),
  /** Where health and metrics are served, 0 for any free port; nowhere without. */
  port: wholeNumber(0, 65_535).optional(),
  /** The address to listen on. */
  host: z.string().min(1).default('127.0.0.1'),
  /** What to watch the instance metadata of EC2 for; `true` and `1` are all that is a reason to leave. */
  spot: z.enum(['true', 'false', '1', '0', 'interruption']).default('false').transform(spotReasons),
  /** A process that holds more memory than this after a batch is replaced. */
  processMemoryMb: wholeNumber(256, 1_000_000).default(WORK_PROCESS_MEMORY_MB),
});

/** What `labelqueue work` does beside what the handler does. */
export type WorkSettings = Omit<z.infer<typeof schema>, 'processes'> & {
  processes: number;
  queueUrl: string;
  deadLetterQueueUrl: string;
  resultsBucket: string;
  /** What logs call the worker. */
  serviceName: string;
};

/**
 * Reads the settings of the loop, and checks those of the handler: a mistake must show once, not in the log of each process.
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
