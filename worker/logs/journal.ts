import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** A line that a unit has written. */
export type JournalEntry = {
  /** Where it stands in the journal: reading goes on behind it. */
  cursor: string;
  /** When it was written, epoch milliseconds. */
  timestamp: number;
  text: string;
};

/** Where the journal lies, and its limits. */
export type JournalOptions = {
  units: readonly string[];
  /** Undefined for the beginning. */
  after: string | undefined;
  signal: AbortSignal;
  environment?: NodeJS.ProcessEnv;
};

const MICROSECONDS = 1_000;

/** As `journalctl --output=json` writes it: what is not UTF-8 comes as bytes. */
const entrySchema = z.object({
  __CURSOR: z.string().min(1),
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,20}$/),
  MESSAGE: z.union([z.string(), z.array(z.number())]),
});

/**
 * What units write to the journal, from a place in it on, and all that they will write. Ends when the signal says so.
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

/** Without `--all`, journalctl leaves out what is longer than 4,096 bytes, as sets of metrics are. */
export function journalArguments(units: readonly string[], after: string | undefined): string[] {
  return [
    ...['--follow', '--lines=all', '--all', '--no-pager', '--output=json', '--output-fields=MESSAGE'],
    ...units.map((unit) => `--unit=${unit}`),
    ...(after === undefined ? [] : [`--after-cursor=${after}`]),
  ];
}

/** @returns undefined for what is not a line of a unit */
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
