import type { WorkerHost, WorkerMachine } from '../../shared/contract/worker-time.ts';
import { type Computing, costSoFar, usdOfTime } from '../../shared/cost.ts';
import type { JobStatus } from '../../shared/jobs/job-status.ts';
import type { ComputingTime } from '../../shared/jobs/measured-time.ts';
import type { Outcomes } from '../../shared/jobs/read-outcomes.ts';
import type { LoggedInvocation } from './invocations.ts';

/** The findings of `labelqueue bench`. */
export type Findings = {
  job: string;
  classified: number;
  failed: number;
  failedByCode: Record<string, number>;
  /** From the start of enqueuing to the last outcome, for all workers together. */
  seconds: number;
  imagesPerSecond: number;
  /**
   * Of one worker, per image, including waiting for image servers, from the workers' time in part keys. Cold starts are
   * included if no log reports them.
   */
  millisecondsPerImage: number;
  models: { name: string; version: string; images: number }[];
  /** By processor name as reported by workers; empty if no log could be read. */
  processors: { processor: string; images: number }[];
  /** Means in ms per image: fetch and decode from start to end, inference as a share of its batch. */
  stageMs?: { fetch: number; decode: number; inference: number };
  /** Number of cold starts, and their median duration. */
  coldStarts?: { count: number; medianMs: number };
  /** Billed time per image; missing without reports. */
  billedMsPerImage?: number;
  machines: (WorkerMachine & { seconds: number })[];
  /** At list prices, of the images on machines that have a price; missing when none was measured on one. */
  usdPerMillion?: number;
  /** From 0 to 1: the share of the workers' time on machines without a price. */
  unpricedShare: number;
  /** The source of the cost. */
  usdFrom: 'billed' | 'measured';
};

export type Found = {
  status: JobStatus;
  outcomes: Outcomes;
  startedAt: Date;
  perMessage: number;
  invocations: readonly LoggedInvocation[];
};

export function findingsOf({ status, outcomes, startedAt, perMessage, invocations }: Found): Findings {
  const { job, classified, failed, failedByCode, computing } = status;
  const images = classified + failed;
  const seconds = secondsUntilLast(outcomes, startedAt);
  const billed = billedOf(invocations, images);
  const time = costOfTime(computing, billed);
  const cost = costSoFar(images, perMessage, time);
  const starts = invocations.reduce((sum, { startMs = 0 }) => sum + startMs, 0);
  const measuredMs = computing.workers.reduce((sum, worker) => sum + worker.seconds * 1_000, -starts);
  return {
    job,
    classified,
    failed,
    failedByCode,
    seconds,
    imagesPerSecond: seconds === 0 ? 0 : images / seconds,
    millisecondsPerImage: measuredMs / images,
    models: modelsOf(outcomes),
    processors: processorsOf(invocations),
    ...stagesOf(invocations),
    ...coldStartsOf(invocations),
    ...(billed !== undefined && { billedMsPerImage: billed / images }),
    machines: computing.workers,
    ...usdPerMillionOf(cost.totalUsd, images, time.share),
    unpricedShare: time.share.own,
    usdFrom: billed === undefined ? 'measured' : 'billed',
  };
}

/** The images are divided between machines with and without a price as the time is. */
function usdPerMillionOf(
  usd: number,
  images: number,
  { lambda, ec2 }: Computing['share'],
): Pick<Findings, 'usdPerMillion'> {
  const priced = lambda + ec2;
  return priced === 0 ? {} : { usdPerMillion: (usd / (images * priced)) * 1_000_000 };
}

function secondsUntilLast({ results, failures }: Outcomes, startedAt: Date): number {
  let last = startedAt.getTime();
  for (const { at } of [...results.values(), ...failures.values()]) last = Math.max(last, Date.parse(at));
  return (last - startedAt.getTime()) / 1_000;
}

/** Billed milliseconds; undefined unless each invocation was reported. */
function billedOf(invocations: readonly LoggedInvocation[], images: number): number | undefined {
  if (imagesIn(invocations) < images) return undefined;
  let sum = 0;
  for (const { billedMs } of invocations) {
    if (billedMs === undefined) return undefined;
    sum += billedMs;
  }
  return sum;
}

/** Images with their final outcome in these invocations. */
export function imagesIn(invocations: readonly LoggedInvocation[]): number {
  return invocations.reduce((sum, { classified, failed }) => sum + classified + failed, 0);
}

/**
 * The cost of the measured time, or of the billed time in its place. That is split between types of machine like the measured time,
 * because AWS's reports do not name the architecture. So are the images.
 */
function costOfTime({ workers }: ComputingTime, billedMs: number | undefined): Computing {
  const measured = workers.reduce((sum, { seconds }) => sum + seconds, 0);
  const milliseconds = billedMs ?? measured * 1_000;
  const cost = { lambdaUsd: 0, fleetUsd: 0, share: { lambda: 0, ec2: 0, own: 0 } satisfies Record<WorkerHost, number> };
  for (const { seconds, ...machine } of measured === 0 ? [] : workers) {
    const share = seconds / measured;
    cost[machine.host === 'ec2' ? 'fleetUsd' : 'lambdaUsd'] += usdOfTime({
      ...machine,
      milliseconds: milliseconds * share,
    });
    cost.share[machine.host] += share;
  }
  return cost;
}

function modelsOf({ results }: Outcomes): Findings['models'] {
  const byModel = Map.groupBy(results.values(), ({ model }) => `${model.name} ${model.version}`);
  return [...byModel.values()]
    .map((lines) => ({ ...(lines[0] as (typeof lines)[number]).model, images: lines.length }))
    .sort((one, other) => other.images - one.images);
}

function processorsOf(invocations: readonly LoggedInvocation[]): Findings['processors'] {
  const byProcessor = Map.groupBy(invocations, ({ processor }) => processor);
  return [...byProcessor]
    .map(([processor, some]) => ({ processor, images: imagesIn(some) }))
    .sort((one, other) => other.images - one.images);
}

/** Weighted by the images of each invocation. */
function stagesOf(invocations: readonly LoggedInvocation[]): Pick<Findings, 'stageMs'> {
  const images = imagesIn(invocations);
  if (images === 0) return {};
  const mean = (stage: keyof LoggedInvocation['stageMs']) =>
    invocations.reduce((sum, { stageMs, classified, failed }) => sum + stageMs[stage] * (classified + failed), 0) /
    images;
  return { stageMs: { fetch: mean('fetch'), decode: mean('decode'), inference: mean('inference') } };
}

function coldStartsOf(invocations: readonly LoggedInvocation[]): Pick<Findings, 'coldStarts'> {
  if (invocations.length === 0) return {};
  const starts = invocations.flatMap(({ startMs }) => startMs ?? []).sort((one, other) => one - other);
  return { coldStarts: { count: starts.length, medianMs: starts[starts.length >> 1] ?? 0 } };
}
