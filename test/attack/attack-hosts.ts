import { startChildModule } from '../../testkit/child-module.ts';
import type { AttackHostsReport } from './attack-hosts-main.ts';

/** A process may hold a thousand descriptors: these listen, and as many connections come. */
const HOSTS_PER_PROCESS = 250;

/**
 * Misbehaving servers in processes of their own; `hosts` as ALLOWED_HOSTS wants them.
 *
 * @param bodies the names of what they send
 */
export async function startAttackHosts(
  count: number,
  bodies: readonly string[],
): Promise<AsyncDisposable & { hosts: string[] }> {
  const stack = new AsyncDisposableStack();
  const hosts: string[] = [];
  for (let before = 0; before < count; before += HOSTS_PER_PROCESS) {
    const size = Math.min(HOSTS_PER_PROCESS, count - before);
    const module = new URL('./attack-hosts-main.ts', import.meta.url);
    const { report } = stack.use(
      await startChildModule<AttackHostsReport>(module, String(size), String(before), ...bodies),
    );
    hosts.push(...report.hosts);
  }
  return { hosts, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
