import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { Killer, KillPlan } from './kills.ts';
import type { WorkFleet } from './work-fleet.ts';

/** What is done to `labelqueue work`; each of them once before any of them again. */
const HAVOC = [
  'kill a process',
  'stop the loop',
  'terminate the loop',
  'stop a process',
  'kill the loop',
  'lose heartbeats',
] as const;
type Havoc = (typeof HAVOC)[number];

export type WorkHavocOptions = KillPlan & {
  fleet: WorkFleet;
  proxy: FaultProxy;
  random: Random;
  /** How long a process is stopped, or heartbeats are lost: longer than a visibility timeout. */
  stopSeconds: number;
  onLog: (text: string) => void;
};

/** Kills, terminates and stops loops and their processes, and loses their heartbeats, until it has done so often enough. */
export function startWorkHavoc({ fleet, proxy, random, stopSeconds, times, everyMs, onLog }: WorkHavocOptions): Killer {
  let done = 0;
  let isOver = false;
  let turn: Havoc[] = [];
  const doOne = async (havoc: Havoc) => {
    const loops = fleet.loops();
    const processes = fleet.processes();
    const pids = havoc.endsWith('loop') ? loops : processes;
    if (havoc !== 'lose heartbeats' && pids.length === 0) return false;
    const pid = havoc === 'lose heartbeats' ? 0 : random.pick(pids);
    onLog(`${JSON.stringify({ at: new Date(), havoc, pid })}\n`);
    if (havoc === 'lose heartbeats') proxy.silence('ChangeMessageVisibilityBatch', stopSeconds * 1_000);
    else if (havoc === 'terminate the loop') fleet.terminate(pid);
    else if (havoc.startsWith('kill')) process.kill(pid, 'SIGKILL');
    else void stopFor(pid, stopSeconds);
    return true;
  };
  const goOn = async () => {
    while (!isOver && done < times) {
      await delay(random.between(Math.round(everyMs * 0.1), Math.round(everyMs * 1.9)));
      if (isOver) return;
      if (turn.length === 0) turn = shuffled(HAVOC, random);
      const [havoc] = turn;
      if (havoc === undefined || !(await doOne(havoc).catch(() => false))) continue;
      turn.shift();
      done++;
    }
  };
  void goOn();
  return {
    get kills() {
      return done;
    },
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}

async function stopFor(pid: number, seconds: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await delay(seconds * 1_000);
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed meanwhile.
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const remaining = [...items];
  return items.map(() => remaining.splice(random.between(0, remaining.length - 1), 1)[0] as Item);
}
