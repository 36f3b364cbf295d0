import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { newestRun } from '../../shared/jobs/job-store.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { type AwsAccess, startAwsProcess } from '../../testkit/aws-process.ts';
import { startImageServerProcess } from '../support/image-server-process.ts';
import { createRandom } from '../support/random.ts';
import { createAnnouncers } from './announcers.ts';
import { startElasticMqAws } from './elasticmq-aws.ts';
import { enqueueSomeTwice, JOB } from './enqueue-some-twice.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { STREAM, startLambda, startWork } from './hosts.ts';
import { planImages } from './image-plan.ts';
import type { KillPlan } from './kills.ts';
import { messagesLeft, takeDeadLetters } from './queue-state.ts';
import { untilQuiet } from './until-quiet.ts';
import { judge, type Verdict } from './verdict.ts';

export type ChaosOptions = {
  images: number;
  seed: number;
  kills: KillPlan;
  timing: Timing;
  /** What takes messages from the queue: an emulation of Lambda, or `labelqueue work`. */
  host: 'lambda' | 'work';
  /** Whose queues: those of the embedded service, or ElasticMQ's. */
  queue?: 'embedded' | 'elasticmq';
  /** Told what the workers write. */
  onLog: (text: string) => void;
  /** Told every few seconds how it goes. */
  onProgress: (line: string) => void;
};

/** How long things may take; a run mostly waits for time-outs. */
export type Timing = {
  functionTimeoutSeconds: number;
  fetchTimeoutSeconds: number;
  retryBaseSeconds: number;
  /** When a run that has not become quiet is judged all the same. */
  giveUpSeconds: number;
  /** Of `labelqueue work`: how long one of its processes is stopped, or its heartbeats are lost. */
  stopSeconds: number;
};

/** What a run came to; a sentence for each image that is not as it should be. */
export type ChaosReport = Verdict & {
  seed: number;
  enqueued: number;
  kills: number;
  faultsInjected: number;
  seconds: number;
  /** Whether the end of the job was announced, and with how many ids. */
  isAnnounced: boolean;
  ends: number;
  maxRssMb: number;
  /** Ends of `labelqueue work` after SIGTERM that were not clean. */
  unclean: number;
};

/** Share of the requests to AWS that go wrong. */
const FAULT_RATE = 0.08;
/** An image with a crash failure that was written ahead delays the end for as long as an invocation may take on Lambda. */
const ANNOUNCED_WITHIN_SECONDS = 2 * FUNCTION_TIMEOUT_SECONDS;
/** A worker that was killed starts anew with its messages in hand, and only then their time-out begins. */
const VISIBILITY_MARGIN_SECONDS = 5;

/**
 * Sends images from a misbehaving server through workers that are killed and an AWS that fails, and
 * compares what readers find in the end with what had to come of each image. A seed repeats what
 * is done to a run, but not at which point of the work it happens.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { images, seed, timing, onLog, onProgress } = options;
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1_000);

  await using imageServer = await startImageServerProcess();
  const visibilityTimeoutSeconds = timing.functionTimeoutSeconds + VISIBILITY_MARGIN_SECONDS;
  await using embeddedAws = await startAwsProcess({ visibilityTimeoutSeconds });
  await using elasticMq =
    options.queue === 'elasticmq' ? await startElasticMqAws(embeddedAws.report, visibilityTimeoutSeconds) : null;
  const aws: AwsAccess = elasticMq ?? embeddedAws.report;
  const target = createJobTarget(jobSettingsFrom(aws.environment), aws.clientConfig);
  const { host } = imageServer.report;
  const planned = planImages(images, host, createRandom(seed, STREAM.images));
  const refs = planned.map(({ image }) => image);
  await using announcers = await createAnnouncers();
  const random = createRandom(seed, STREAM.duplicates);
  await enqueueSomeTwice(target, refs, { random, notify: announcers.url });

  const faultRandom = createRandom(seed, STREAM.faults);
  await using proxy = await startFaultProxy(aws.clientConfig.endpoint, FAULT_RATE, faultRandom);
  const environment = { ALLOWED_HOSTS: host, ...settingsFor(timing) };
  const start = options.host === 'work' ? startWork : startLambda;
  await using workers = await start(options, { aws, proxy, target, environment, announcers });
  await using _looking = announcers.start({ aws, endpoint: proxy.endpoint, target, onLog });
  using killer = workers.startKiller();
  const tell = async () =>
    onProgress(`${seconds()} s: ${await stateOf(target)}, ${killer.kills} kills, ${proxy.faults} faults`);
  const quiet = await Promise.race([untilQuiet(target, workers.watched, timing.giveUpSeconds, tell), workers.ended()]);
  if (!quiet) onProgress(`not quiet after ${timing.giveUpSeconds} s`);
  const isAnnounced = await announcers.announced(JOB, ANNOUNCED_WITHIN_SECONDS);

  return {
    seed,
    enqueued: images,
    ...judge(planned, await readOutcomes(target, JOB), await takeDeadLetters(target)),
    kills: killer.kills,
    faultsInjected: proxy.faults,
    seconds: seconds(),
    isAnnounced,
    ends: new Set(announcers.ids).size,
    maxRssMb: Math.round(workers.maxRssMb()),
    unclean: workers.unclean(),
  };
}

function settingsFor({ fetchTimeoutSeconds, retryBaseSeconds }: Timing): Record<string, string> {
  return { FETCH_TIMEOUT_SECONDS: String(fetchTimeoutSeconds), RETRY_BASE_SECONDS: String(retryBaseSeconds) };
}

async function stateOf(target: JobTarget): Promise<string> {
  const run = await newestRun(target, JOB);
  const results = totalLines(await listParts(target, 'results', run));
  const failures = totalLines(await listParts(target, 'failures', run));
  return `${results} result lines, ${failures} failure lines, ${await messagesLeft(target)} messages left`;
}
