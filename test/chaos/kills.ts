import type { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import type { Random } from '../support/random.ts';

export type KillPlan = {
  times: number;
  /** Between two kills, on average; each pause is anything from a tenth of it to nearly twice as much. */
  everyMs: number;
};

export type Killer = Disposable & {
  /** How many workers it has killed so far. */
  readonly kills: number;
};

/** Kills workers without a warning, whatever they are doing, until it has done so often enough. */
export function startKiller(
  workers: readonly ExecutionEnvironment[],
  { times, everyMs }: KillPlan,
  random: Random,
): Killer {
  let kills = 0;
  let timer: NodeJS.Timeout | undefined;
  const goOn = () => {
    if (kills === times) return;
    const pause = random.between(Math.round(everyMs * 0.1), Math.round(everyMs * 1.9));
    timer = setTimeout(() => {
      if (kill(random.pick(workers))) kills++;
      goOn();
    }, pause);
  };
  goOn();
  return {
    get kills() {
      return kills;
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** One that is down already starts again at its next invocation. */
function kill({ pid }: ExecutionEnvironment): boolean {
  return pid !== undefined && process.kill(pid, 'SIGKILL');
}
