import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** A log line of a unit. */
export type JournalEntry = {
  /** Its position in the journal, after which reading can continue. */
  cursor: string;
  /** When it was written, epoch milliseconds. */
  timestamp: number;
  text: string;
};

/** Where the journal lies, and its limits. */
export type JournalOptions = {
  units: readonly string[];
  /** Undefined for the start. */
  after: string | undefined;
  signal: AbortSignal;
  environment?: NodeJS.ProcessEnv;
};

const MICROSECONDS = 1_000;

/** As `journalctl --output=json` writes it: invalid UTF-8 is an array of bytes. */
const entrySchema = z.object({
  __CURSOR: z.string().min(1),
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,20}$/),
  MESSAGE: z.union([z.string(), z.array(z.number())]),
});

/**
 * Follows the journal of units from a position. Ends at the signal.
 *
 * @throws when `journalctl` cannot be started, or ends by itself
 */
export async function* journal({ units, after, signal, environment }: JournalOptions): AsyncGenerator<JournalEntry> {
  const child = spawn('journalctl', journalArguments(units, after), {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(environment !== undefined && { env: environment }),
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, by) => resolve(`it ended with ${by ?? code}`));
  });
  const end = () => void child.kill();
  signal.addEventListener('abort', end, { once: true });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry = entryOf(line);
      if (entry !== undefined) yield entry;
    }
  } finally {
    signal.removeEventListener('abort', end);
    child.kill();
  }
  if (!signal.aborted) throw new Error(`journalctl: ${await ended}`);
}

/** Without `--all`, journalctl drops lines of more than 4,096 bytes, such as sets of metrics. */
export function journalArguments(units: readonly string[], after: string | undefined): string[] {
  return [
    ...['--follow', '--lines=all', '--all', '--no-pager', '--output=json', '--output-fields=MESSAGE'],
    ...units.map((unit) => `--unit=${unit}`),
    ...(after === undefined ? [] : [`--after-cursor=${after}`]),
  ];
}

/** @returns undefined for an entry that is not a line of a unit */
function entryOf(line: string): JournalEntry | undefined {
  const { data } = entrySchema.safeParse(jsonOf(line));
  if (data === undefined) return undefined;
  const { MESSAGE: message } = data;
  return {
    cursor: data.__CURSOR,
    timestamp: Math.floor(Number(data.__REALTIME_TIMESTAMP) / MICROSECONDS),
    text: typeof message === 'string' ? message : Buffer.from(message).toString(),
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
