import type { LookupAddress } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

const HOSTS_FILE = '/etc/hosts';
/** Far more than any manual file; ad-blocking lists have about 5 MB. */
const MAX_HOSTS_FILE_BYTES = 10_000_000;
const CHECKED_EVERY_MS = 5_000;

type Names = ReadonlyMap<string, LookupAddress[]>;

let names: Names = new Map();
let version = '';
let checkedAt = Number.NEGATIVE_INFINITY;

/**
 * The addresses of a name in `/etc/hosts`; undefined when it does not contain the name.
 *
 * @param name in lower case, without a dot at its end
 */
export function addressesInHostsFile(name: string): LookupAddress[] | undefined {
  if (performance.now() - checkedAt > CHECKED_EVERY_MS) refresh();
  return names.get(name);
}

/** Reads the file again only when it has changed. Machines without one, such as some containers, have no such names. */
function refresh(): void {
  checkedAt = performance.now();
  const file = statSync(HOSTS_FILE, { throwIfNoEntry: false });
  const found = `${file?.mtimeMs} ${file?.size}`;
  if (found === version) return;
  version = found;
  names =
    file === undefined || file.size > MAX_HOSTS_FILE_BYTES
      ? new Map()
      : parseHostsFile(readFileSync(HOSTS_FILE, 'utf8'));
}

/** The format of hosts(5): an address and its names per line, `#` starts a comment. */
export function parseHostsFile(text: string): Names {
  const found = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      found.set(name, [...(found.get(name) ?? []), { address, family }]);
    }
  }
  return found;
}
