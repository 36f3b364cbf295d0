import type { SQSClient } from '@aws-sdk/client-sqs';
import { untilEmpty } from './empty-queue.ts';
import { type SpotReasons, untilSpotNotice } from './spot-notice.ts';
import type { WorkLog } from './work-log.ts';
import type { WorkLoop } from './work-loop.ts';
import type { WorkSettings } from './work-settings.ts';

/** Reserved from the time that EC2 leaves, to give messages back. */
const SPOT_RESERVE_MS = 10_000;

/** Why the work ends, and how long it may drain. */
export type WorkEnd = { reason: string; drainMs: number };

/** What ends a run. */
export type WorkEndOptions = {
  settings: WorkSettings;
  /** Names the metadata service if it is not at the default address. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Resolves with the name of the first signal. */
  stop: Promise<string>;
  log: WorkLog;
  loop: WorkLoop;
  sqs: SQSClient;
  /** Ends all watching. */
  signal: AbortSignal;
};

/** Resolves at the first of a signal, a Spot notice and an empty queue. */
export function untilWorkEnds(options: WorkEndOptions): Promise<WorkEnd> {
  const { settings, stop } = options;
  const drainMs = settings.drainSeconds * 1_000;
  return Promise.race([
    stop.then((reason) => ({ reason, drainMs })),
    ...(settings.exitWhenEmptySeconds === undefined
      ? []
      : [queueIsEmpty(options, settings.exitWhenEmptySeconds, drainMs)]),
    ...(settings.spot === undefined ? [] : [spotNotice(options, settings.spot, drainMs)]),
  ]);
}

async function queueIsEmpty(
  { settings, loop, sqs, signal }: WorkEndOptions,
  seconds: number,
  drainMs: number,
): Promise<WorkEnd> {
  // Nothing is received before a process is ready, so the counts say nothing.
  const isBusy = () => loop.held.waiting + loop.held.inWork > 0 || loop.readyProcesses === 0;
  await untilEmpty({ sqs, queueUrl: settings.queueUrl, seconds, isBusy, signal });
  return { reason: 'the queue is empty', drainMs };
}

/** Resolves at a Spot notice while the work already drains for another reason: there may be less time. Never without `spot`. */
export function untilInterruption(
  options: Pick<WorkEndOptions, 'settings' | 'environment' | 'log' | 'signal'>,
): Promise<WorkEnd> {
  const { spot, drainSeconds } = options.settings;
  return spot === undefined ? new Promise(() => {}) : spotNotice(options, 'interruption', drainSeconds * 1_000);
}

async function spotNotice(
  { environment, log, signal }: Pick<WorkEndOptions, 'environment' | 'log' | 'signal'>,
  reasons: SpotReasons,
  drainMs: number,
): Promise<WorkEnd> {
  const endpoint = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  const { reason, at } = await untilSpotNotice({ signal, endpoint, reasons, onNotice: (text) => log('WARN', text) });
  const leftMs = at === undefined ? drainMs : at - Date.now() - SPOT_RESERVE_MS;
  return { reason: `Spot ${reason}`, drainMs: Math.max(0, Math.min(drainMs, leftMs)) };
}
