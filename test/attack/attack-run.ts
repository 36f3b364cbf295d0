import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImageRef } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { newestRun } from '../../shared/jobs/job-store.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { startAwsProcess } from '../../testkit/aws-process.ts';
import type { PlannedImage } from '../chaos/image-plan.ts';
import { messagesLeft, takeDeadLetters } from '../chaos/queue-state.ts';
import { untilQuiet } from '../chaos/until-quiet.ts';
import { judge } from '../chaos/verdict.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { startImageServerProcess } from '../support/image-server-process.ts';
import { createRandom } from '../support/random.ts';
import { startWorkerFleet, type WorkerFleet } from '../support/worker-fleet.ts';
import { startAttackHosts } from './attack-hosts.ts';
import type { Attack } from './attack-kinds.ts';
import { type PlannedAttack, planAttacks, planHealthy } from './attack-plan.ts';
import { NAME_SERVER_VARIABLE } from './name-server-variable.ts';
import { startWatch } from './worker-watch.ts';

export type AttackOptions = {
  /** Hostile images of a round, and healthy ones beside them. */
  images: number;
  healthy: number;
  hosts: number;
  attacks: readonly Attack[];
  seed: number;
  /** Rounds are begun until then; there is one at least. */
  minutes: number;
  workers: number;
  timing: AttackTiming;
  /** Given what the workers write. */
  onLog: (text: string) => void;
  onProgress: (line: string) => void;
};

export type AttackTiming = {
  functionTimeoutSeconds: number;
  fetchTimeoutSeconds: number;
  retryBaseSeconds: number;
  /** When a round that is still going on is judged all the same. */
  giveUpSeconds: number;
};

/** What came of all rounds. */
export type AttackReport = Counts & {
  seed: number;
  rounds: number;
  hosts: number;
  /** The longest time of the healthy images beside the hostile ones, divided by their time alone. */
  slowdown: number;
  aloneSeconds: number;
  /** Invocations that gave no answer. */
  functionErrors: number;
  peakRssMb: number;
  peakDescriptors: number;
  seconds: number;
  /** How many outcomes were wrong or missing, by what the host did. */
  brokenBy: Record<string, number>;
  /** A sentence for each image that is not as it should be. */
  complaints: string[];
};

type Counts = {
  hostile: number;
  healthy: number;
  lost: number;
  double: number;
  wrongOutcome: number;
  withoutDeadLetter: number;
};

const IMAGES_PER_MESSAGE = 20;
/** So that the time alone is that of warm workers. */
const WARM_UP_IMAGES = 60;
const POLL_MS = 100;
const ASK_NAME_SERVER = join(import.meta.dirname, 'ask-name-server.ts');
const VISIBILITY_MARGIN_SECONDS = 5;

/**
 * Sends images of attack hosts through workers, with healthy images beside them, and compares what readers find in the
 * end with what had to come of each image, and the time of the healthy ones with their time alone. A seed repeats
 * which attack comes on which host at which place of the queue.
 */
export async function runAttack(options: AttackOptions): Promise<AttackReport> {
  const { seed, timing, minutes, onProgress } = options;
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1_000);
  await using scene = await setScene(options);
  onProgress(`${seconds()} s: servers and workers are ready`);
  await timeOf(scene, { warm: planHealthy(WARM_UP_IMAGES, scene.healthyHost) }, timing.giveUpSeconds);
  const alone = await timeOf(scene, { alone: planHealthy(options.healthy, scene.healthyHost) }, timing.giveUpSeconds);
  onProgress(`${seconds()} s: ${options.healthy} healthy images alone take ${alone.toFixed(1)} s`);

  const report: AttackReport = {
    ...{ seed, rounds: 0, hosts: options.hosts, hostile: 0, healthy: 0 },
    ...{ lost: 0, double: 0, wrongOutcome: 0, withoutDeadLetter: 0 },
    ...{ slowdown: 0, aloneSeconds: rounded(alone), functionErrors: 0, peakRssMb: 0, peakDescriptors: 0, seconds: 0 },
    ...{ brokenBy: {}, complaints: [] },
  };
  do {
    const round = await playRound(scene, options, report.rounds, onProgress);
    for (const key of ['hostile', 'healthy', 'lost', 'double', 'wrongOutcome', 'withoutDeadLetter'] as const) {
      report[key] += round[key];
    }
    report.complaints.push(...round.complaints);
    report.slowdown = Math.max(report.slowdown, rounded(round.besideSeconds / alone));
    report.rounds++;
    onProgress(
      `${seconds()} s: round ${report.rounds}, healthy images beside took ${round.besideSeconds.toFixed(1)} s`,
    );
  } while (performance.now() - started < minutes * 60_000);

  return {
    ...report,
    functionErrors: scene.fleet.functionErrors.length,
    peakRssMb: Math.round(scene.watch.peakRssMb),
    peakDescriptors: scene.watch.peakDescriptors,
    seconds: seconds(),
    brokenBy: countedByBehaviour(report.complaints),
  };
}

type Scene = AsyncDisposable & {
  target: JobTarget;
  fleet: WorkerFleet;
  watch: ReturnType<typeof startWatch>;
  healthyHost: string;
  attackHosts: readonly string[];
};

async function setScene({ hosts, attacks, workers, timing, onLog }: AttackOptions): Promise<Scene> {
  const scene = new AsyncDisposableStack();
  const attack = scene.use(await startAttackHosts(hosts, [...new Set(attacks.map(({ body }) => body))]));
  const healthy = scene.use(await startImageServerProcess());
  const visibilityTimeoutSeconds = timing.functionTimeoutSeconds + VISIBILITY_MARGIN_SECONDS;
  const { environment, clientConfig } = scene.use(await startAwsProcess({ visibilityTimeoutSeconds })).report;
  const target = createJobTarget(jobSettingsFrom(environment), clientConfig);
  const names = scene.use(await startDnsServer(() => 'silence'));
  const fleet = await startWorkerFleet(
    { environment, target },
    {
      workers,
      timeoutSeconds: timing.functionTimeoutSeconds,
      onLog,
      execArgv: ['--import', ASK_NAME_SERVER],
      environment: {
        [NAME_SERVER_VARIABLE]: names.address,
        ALLOWED_HOSTS: [healthy.report.host, ...attack.hosts].join(','),
        FETCH_TIMEOUT_SECONDS: String(timing.fetchTimeoutSeconds),
        RETRY_BASE_SECONDS: String(timing.retryBaseSeconds),
      },
    },
  );
  scene.use(fleet);
  const watch = scene.use(startWatch(fleet.environments));
  return {
    ...{ target, fleet, watch, healthyHost: healthy.report.host, attackHosts: attack.hosts },
    [Symbol.asyncDispose]: () => scene.disposeAsync(),
  };
}

async function playRound(
  scene: Scene,
  { seed, images, healthy, attacks, timing }: AttackOptions,
  round: number,
  onProgress: (line: string) => void,
): Promise<Counts & { besideSeconds: number; complaints: string[] }> {
  const { target } = scene;
  const hostile = planAttacks(images, attacks, scene.attackHosts, createRandom(seed + round));
  const beside = planHealthy(healthy, scene.healthyHost);
  const jobs = { [`hostile-${round}`]: hostile, [`healthy-${round}`]: beside };
  const besideSeconds = await timeOf(scene, jobs, timing.giveUpSeconds);
  const quiet = await untilQuiet(target, [], timing.giveUpSeconds, async () =>
    onProgress(`round ${round + 1}: ${await messagesLeft(target)} messages left`),
  );
  if (!quiet) onProgress(`round ${round + 1}: not quiet after ${timing.giveUpSeconds} s`);
  const dead = await takeDeadLetters(target);
  const verdicts = [
    judge(hostile, await readOutcomes(target, `hostile-${round}`), ofJob(hostile, dead)),
    judge(beside, await readOutcomes(target, `healthy-${round}`), ofJob(beside, dead)),
  ];
  const sum = (key: 'lost' | 'double' | 'wrongOutcome' | 'withoutDeadLetter') =>
    verdicts.reduce((total, verdict) => total + verdict[key], 0);
  return {
    ...{ hostile: hostile.length, healthy: beside.length, besideSeconds },
    ...{ lost: sum('lost'), double: sum('double'), wrongOutcome: sum('wrongOutcome') },
    withoutDeadLetter: sum('withoutDeadLetter'),
    complaints: verdicts.flatMap(({ complaints }) => complaints).map((complaint) => named(complaint, hostile)),
  };
}

/**
 * Enqueues jobs at the same time, and waits until the last of them has a line for each image.
 *
 * @returns seconds; those of giving up, where it comes to that
 */
async function timeOf(
  { target }: Scene,
  jobs: Record<string, readonly PlannedImage[]>,
  giveUpSeconds: number,
): Promise<number> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  const enqueued = Promise.all(Object.entries(jobs).map(([job, images]) => enqueueJob(target, job, images)));
  const [job = '', images = []] = Object.entries(jobs).at(-1) ?? [];
  await enqueued;
  while ((await linesOf(target, job)) < images.length && seconds() < giveUpSeconds) await delay(POLL_MS);
  return seconds();
}

async function enqueueJob(target: JobTarget, job: string, planned: readonly PlannedImage[]): Promise<void> {
  const images = planned.length;
  const plan = newJob({ job, source: 'attack', sourceDigest: '', perMessage: IMAGES_PER_MESSAGE, images });
  await enqueue(target, toAsync(planned.map(({ image }) => image)), plan);
}

async function* toAsync(images: readonly ImageRef[]): AsyncGenerator<ImageRef> {
  yield* images;
}

async function linesOf(target: JobTarget, job: string): Promise<number> {
  const run = await newestRun(target, job);
  const parts = [...(await listParts(target, 'results', run)), ...(await listParts(target, 'failures', run))];
  return totalLines(parts);
}

function ofJob(planned: readonly PlannedImage[], dead: ReadonlySet<string>): Set<string> {
  return new Set(planned.map(({ image }) => image.id).filter((id) => dead.has(id)));
}

const SEPARATOR = ' <- ';

/** A complaint begins with the id of its image; what the host did is put at its end. */
function named(complaint: string, hostile: readonly PlannedAttack[]): string {
  const id = complaint.slice(0, complaint.indexOf(':'));
  const attack = hostile.find(({ image }) => image.id === id);
  return `${complaint}${SEPARATOR}${attack?.behaviour ?? 'nothing: a healthy image'}`;
}

function countedByBehaviour(complaints: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const complaint of complaints) {
    const behaviour = complaint.slice(complaint.lastIndexOf(SEPARATOR) + SEPARATOR.length);
    counts.set(behaviour, (counts.get(behaviour) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/** What breaks a promise when a run has more of it. */
export type AttackBounds = { maxSlowdown: number; maxRss: number };

/** Whether each promise was kept. */
export function isSound(report: Omit<AttackReport, 'complaints'>, { maxSlowdown, maxRss }: AttackBounds): boolean {
  const { lost, double, wrongOutcome, withoutDeadLetter, slowdown, peakRssMb } = report;
  const wrong = lost + double + wrongOutcome + withoutDeadLetter;
  return wrong === 0 && slowdown <= maxSlowdown && peakRssMb <= maxRss;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
