import { ASSUMPTIONS } from './assumptions.ts';
import { fullBatch, type Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { type Outcome, simulate } from './simulate.ts';

/** A job that is enqueued while a large one is on the same queue. */
export type SmallJob = { images: number; arrivesAtSeconds: number };
/** Seconds from its arrival to its last label. */
export type Waits = { withoutGroups: number; withGroups: number };

const LARGE_IMAGES = 1_000_000;
/** It comes while all of the large job's messages are on the queue, and none of its workers idle. */
const SMALL: SmallJob = { images: 2, arrivesAtSeconds: 10 };

/**
 * What a job of one message waits for beside a large one, all of whose messages are older.
 *
 * Without groups SQS gives older messages first, so it is the last to be taken. With groups the large job is a noisy
 * neighbour once it has enough messages in flight, and the next batch that is taken has the small job's message in it.
 * A worker takes images of its jobs in turn, so the rest of the batch does not come first.
 */
export function waitBeside(scenario: Scenario, small: SmallJob): Waits {
  const outcome = simulate(scenario);
  const oldestFirst = outcome.batchStarts.at(-1) ?? 0;
  const next = outcome.batchStarts.find((start) => start >= small.arrivesAtSeconds) ?? oldestFirst;
  const taken = isNoisy(scenario, outcome, small.arrivesAtSeconds) ? next : oldestFirst;
  // The worker that takes it may have just been started.
  const work = scenario.coldStartSeconds + 2 * small.images * scenario.secondsPerImage;
  const wait = (start: number) => Math.max(0, start - small.arrivesAtSeconds) + work;
  return { withoutGroups: wait(oldestFirst), withGroups: wait(taken) };
}

/** Beside messages of one other job, which is all that is in flight. */
function isNoisy(scenario: Scenario, { samples }: Outcome, seconds: number): boolean {
  const workers = samples.findLast((sample) => sample.seconds <= seconds)?.concurrency ?? 0;
  const inFlight = workers * fullBatch(scenario);
  const share = inFlight / (inFlight + 1);
  return inFlight >= ASSUMPTIONS.noisyMessagesInFlight.value && share > ASSUMPTIONS.noisyShareInFlight.value;
}

/** A Markdown table: the small job beside a million images. */
export function neighbourTable(): string {
  const rows = SCENARIOS.filter(({ scenario }) => scenario.pollers.kind === 'on demand' && !scenario.enqueuedPerSecond);
  return [
    `| ${SMALL.images} images, enqueued ${SMALL.arrivesAtSeconds} s after ${LARGE_IMAGES.toLocaleString('en')} others | labeled without groups within | with groups within |`,
    '|---|---|---|',
    ...rows.map(({ name, scenario }) => {
      const { withoutGroups, withGroups } = waitBeside({ ...scenario, images: LARGE_IMAGES }, SMALL);
      return `| ${name} | ${seconds(withoutGroups)} | ${seconds(withGroups)} |`;
    }),
  ].join('\n');
}

function seconds(value: number): string {
  return value < 120 ? `${value.toFixed(1)} s` : `${(value / 60).toFixed(1)} min`;
}
