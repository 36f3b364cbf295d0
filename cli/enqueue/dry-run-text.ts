import { visibleLine } from '../../shared/contract/visible-text.ts';
import { ASSUMED, assumedText, costOfImages } from '../../shared/cost.ts';
import type { PreflightResult } from '../../shared/jobs/preflight.ts';
import type { NotInRows } from './enqueue-not-in.ts';
import type { EnqueueSource } from './enqueue-sources.ts';
import { sourcesJson, sourcesText } from './source-text.ts';

const HOSTS_SHOWN = 10;
/** What Lambda gives an account that asked for nothing. */
const DEFAULT_CONCURRENCY = 1_000;

/** What enqueuing the sources would do, how they were read, and what the figures come from. */
export function dryRunText(
  job: string,
  found: PreflightResult & Pick<NotInRows, 'known' | 'notIn'>,
  sources: readonly EnqueueSource[],
  { perMessage: told, maxCost, json }: { perMessage?: number; maxCost?: number; json?: true },
): string {
  const { perMessage } = found;
  const cost = costOfImages(found.images, perMessage);
  const workerSeconds = (found.images * ASSUMED.millisecondsPerImage) / 1_000;
  const hosts = [...found.hosts].sort(([, one], [, other]) => other - one);
  if (json) {
    const { images, messages, bytes, repetitions, invalid, first } = found;
    const document = {
      job,
      images,
      messages,
      perMessage,
      bytes,
      repetitions,
      invalid,
      ...(found.notIn !== undefined && { leftOut: found.known }),
      sources: sourcesJson(sources),
      first,
      hosts: Object.fromEntries(hosts),
      cost,
      workerSeconds,
      assumed: ASSUMED,
    };
    return `${JSON.stringify(document)}\n`;
  }
  const lines = [
    `job            ${job} (nothing was sent)`,
    `images         ${found.images}`,
    `repetitions    ${found.repetitions}`,
    `invalid rows   ${found.invalid}`,
    ...(found.notIn === undefined
      ? []
      : [`left out       ${found.known}, classified in ${found.notIn.jobs.join(', ')}`]),
    `messages       ${found.messages} of up to ${perMessage} images${told === undefined ? ' (by the number of images; --per-message N for another size)' : ''}, ${(found.bytes / 1e6).toFixed(1)} MB`,
    `hosts          ${hosts.length}${hosts.length > HOSTS_SHOWN ? `, the first ${HOSTS_SHOWN} of them:` : ''}`,
    ...hosts.slice(0, HOSTS_SHOWN).map(([host, images]) => `  ${String(images).padStart(11)}  ${visibleLine(host)}`),
    `cost           $${cost.totalUsd.toFixed(4)} at AWS list prices, us-east-1, without retries`,
    `  Lambda       $${(cost.lambdaUsd + cost.lambdaRequestsUsd).toFixed(4)} (assumed: ${assumedText()})`,
    `  SQS          $${cost.sqsUsd.toFixed(4)}`,
    `  S3           $${cost.s3Usd.toFixed(4)}`,
    `  logs         $${cost.logsUsd.toFixed(4)}`,
    ...costLimitText(cost.totalUsd, maxCost),
    `time           ${duration(workerSeconds)} of one worker; ${duration(workerSeconds / Math.min(found.messages, DEFAULT_CONCURRENCY))} of ${Math.min(found.messages, DEFAULT_CONCURRENCY)} at once`,
  ];
  return `${sourcesText(sources, found.first)}${lines.join('\n')}\n`;
}

function costLimitText(estimate: number, maxCost: number | undefined): string[] {
  if (maxCost === undefined || estimate <= maxCost) return [];
  const share = Math.floor((maxCost / estimate) * 100);
  return [`  --max-cost   $${maxCost} would end the job after about ${share} % of its images`];
}

/** E.g. `3 h 12 min`, `4 min 10 s`, `2.5 s`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
