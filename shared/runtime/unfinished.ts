import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Part of the names of files and folders that get their final name when they are complete. */
export const UNFINISHED = '.unfinished-';

const HEARTBEAT_MS = 60_000;
/** Much longer than a heartbeat, and than the downloads without one. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * A new name beside a place. It names the process that works there, for `abandonedBeside`, and differs for each call.
 *
 * @param kind what follows the name of the place
 */
export function nameBeside(place: string, kind = UNFINISHED): string {
  const name = `${place}${kind}${processSpace()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  ofThisProcess.add(basename(name));
  return name;
}

/** An earlier process may have had the same id. */
const ofThisProcess = new Set<string>();

/**
 * What processes that ended early have left beside a place. A process id means something only among processes that see each
 * other: what a process of another container or machine works on, in a shared folder, counts as left behind after an hour
 * without a change.
 *
 * @param now by the clock of the file system, in milliseconds: the time of the last change of a new file
 * @returns paths; others with similar names are not included
 */
export function abandonedBeside(place: string, now: number, kind = UNFINISHED): string[] {
  const folder = dirname(place);
  const names = readdirSync(folder).filter((name) => name.startsWith(`${basename(place)}${kind}`));
  return names.map((name) => join(folder, name)).filter((path) => isAbandoned(path, now));
}

function isAbandoned(path: string, now: number): boolean {
  const { space, pid } = /-(?<space>[0-9a-f]{12})-(?<pid>\d+)-[0-9a-f]{8}$/.exec(path)?.groups ?? {};
  const changed = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
  if (space === undefined || changed === undefined) return false;
  return space === processSpace() ? isOver(Number(pid), basename(path)) : now - changed > ABANDONED_AFTER_MS;
}

function isOver(pid: number, name: string): boolean {
  if (pid === process.pid) return !ofThisProcess.has(name);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

let space: string | undefined;

/** The same for processes that see each other by their ids: 12 hex digits. */
function processSpace(): string {
  space ??= createHash('sha256').update(processSpaceText()).digest('hex').slice(0, 12);
  return space;
}

function processSpaceText(): string {
  if (process.platform !== 'linux') return hostname();
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return randomBytes(16).toString('hex');
  }
}

/** Marks a file or folder as being worked on, until it is disposed of. */
export function heartbeat(path: string): Disposable {
  const beat = () => utimes(path, new Date(), new Date()).catch(() => {});
  const timer = setInterval(beat, HEARTBEAT_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
