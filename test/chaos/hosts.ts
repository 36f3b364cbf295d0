import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { createRandom } from '../support/random.ts';
import type { Announcers } from './announcers.ts';
import type { ChaosOptions } from './chaos-run.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { startFleet } from './fleet.ts';
import { type Killer, startKiller } from './kills.ts';
import { startWorkFleet } from './work-fleet.ts';
import { startWorkHavoc } from './work-havoc.ts';

/** Each concern draws from numbers of its own: one fault more does not make it another run. */
export const STREAM = { images: 0, duplicates: 1, faults: 2, kills: 3, deliveries: 4 };

export type HostParts = {
  aws: AwsAccess;
  proxy: FaultProxy;
  target: JobTarget;
  /** Settings of the workers beside those that point them at AWS. */
  environment: Record<string, string>;
  announcers: Announcers;
};

/** What takes messages from the queue, and what is done to it. */
export type Host = AsyncDisposable & {
  startKiller(): Killer;
  /** Whose work has to be over. */
  watched: readonly { readonly busy: boolean }[];
  /** Rejects when no more messages are taken. */
  ended(): Promise<never>;
  maxRssMb(): number;
  unclean(): number;
};

/** Handlers that are fed as Lambda feeds them, and killed. */
export async function startLambda(
  { seed, kills, timing, onLog }: ChaosOptions,
  { aws, proxy, target, environment, announcers }: HostParts,
): Promise<Host> {
  const fleet = await startFleet({
    aws,
    endpoint: proxy.endpoint,
    target,
    timeoutSeconds: timing.functionTimeoutSeconds,
    environment,
    random: createRandom(seed, STREAM.deliveries),
    onLog,
  });
  return {
    startKiller: () =>
      startKiller([...fleet.workers, ...announcers.environments], kills, createRandom(seed, STREAM.kills)),
    watched: fleet.workers,
    ended: async () => {
      await fleet.ended();
      return new Promise(() => {});
    },
    maxRssMb: () => fleet.maxRssMb,
    unclean: () => 0,
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

/** `labelqueue work`, which is killed, terminated and stopped, and loses its heartbeats. */
export async function startWork(
  { seed, kills, timing, onLog }: ChaosOptions,
  { aws, proxy, environment }: HostParts,
): Promise<Host> {
  const fleet = startWorkFleet({ aws, endpoint: proxy.endpoint, environment, onLog });
  const { stopSeconds } = timing;
  return {
    startKiller: () =>
      startWorkHavoc({ ...kills, fleet, proxy, random: createRandom(seed, STREAM.kills), stopSeconds, onLog }),
    watched: [],
    ended: () => new Promise(() => {}),
    maxRssMb: () => fleet.maxRssMb,
    unclean: () => fleet.unclean,
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}
