import { formatDuration } from '../../dashboard/page/numbers.js';
import type { StageWorkers } from '../../shared/contract/stage-workers.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { PreflightResult } from '../../shared/jobs/preflight.ts';
import type { NotInRows } from './enqueue-not-in.ts';
import type { EnqueueSource } from './enqueue-sources.ts';
import { sourcesJson, sourcesText } from './source-text.ts';
import { stageEstimate } from './stage-estimate.ts';

const HOSTS_SHOWN = 10;

type DryRunOptions = {
  perMessage?: number;
  maxCost?: number;
  json?: true;
  /** Those that will do the job. */
  workers: StageWorkers;
};

/** What enqueuing the sources would do, how they were read, and what the figures come from. */
export function dryRunText(
  job: string,
  found: PreflightResult & Pick<NotInRows, 'known' | 'notIn'>,
  sources: readonly EnqueueSource[],
  { perMessage: requestedPerMessage, maxCost, json, workers }: DryRunOptions,
): string {
  const { perMessage } = found;
  const { cost, assumed, computing, maxWorkers } = stageEstimate(found.images, perMessage, workers);
  const workerSeconds = (found.images * assumed.millisecondsPerImage) / 1_000;
  const hosts = [...found.hosts].sort(([, one], [, other]) => other - one);
  if (json) {
    const { images, messages, bytes, duplicates, invalid, first } = found;
    const document = {
      job,
      images,
      messages,
      perMessage,
      bytes,
      duplicates,
      invalid,
      ...(found.notIn !== undefined && { leftOut: found.known }),
      sources: sourcesJson(sources),
      first,
      hosts: Object.fromEntries(hosts),
      cost,
      workerSeconds,
      assumed,
    };
    return `${JSON.stringify(document)}\n`;
  }
  const lines = [
    `job            ${job} (nothing was sent)`,
    `images         ${found.images}`,
    `duplicates     ${found.duplicates}`,
    `invalid rows   ${found.invalid}`,
    ...(found.notIn === undefined
      ? []
      : [`left out       ${found.known}, classified in ${found.notIn.jobs.join(', ')}`]),
    `messages       ${found.messages} of up to ${perMessage} images${requestedPerMessage === undefined ? ' (chosen by the number of images; --per-message N to change it)' : ''}, ${(found.bytes / 1e6).toFixed(1)} MB`,
    `hosts          ${hosts.length}${hosts.length > HOSTS_SHOWN ? `, the ${HOSTS_SHOWN} with the most images:` : ''}`,
    ...hosts.slice(0, HOSTS_SHOWN).map(([host, images]) => `  ${String(images).padStart(11)}  ${visibleLine(host)}`),
    `cost           $${cost.totalUsd.toFixed(4)} at AWS list prices, us-east-1, without retries`,
    `  ${computing.name.padEnd(12)} $${computing.usd.toFixed(4)} (${computing.note})`,
    `  SQS          $${cost.sqsUsd.toFixed(4)}`,
    `  S3           $${cost.s3Usd.toFixed(4)}`,
    `  logs         $${cost.logsUsd.toFixed(4)}`,
    ...costLimitText(cost.totalUsd, maxCost),
    `time           ${timeText(workerSeconds, Math.min(found.messages, maxWorkers))}`,
  ];
  return `${sourcesText(sources, found.first)}${lines.join('\n')}\n`;
}

/** @param workers how many can work at once */
function timeText(workerSeconds: number, workers: number): string {
  const alone = `${durationText(workerSeconds)} with one worker`;
  return workers <= 1 ? alone : `${alone}, ${durationText(workerSeconds / workers)} with ${workers} workers`;
}

/** Never `0 s`. */
function durationText(seconds: number): string {
  return formatDuration(Math.max(seconds, 0.1));
}

function costLimitText(estimate: number, maxCost: number | undefined): string[] {
  if (maxCost === undefined || estimate <= maxCost) return [];
  const share = Math.floor((maxCost / estimate) * 100);
  return [`  --max-cost   $${maxCost} would cancel the job after about ${share} % of its images`];
}
