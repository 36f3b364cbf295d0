import { setTimeout as delay } from 'node:timers/promises';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { noticeOnStandardError } from './notice.ts';

/** Backoff while SQS does not respond: between these limits. */
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** Jitter of a wait, so that pollers do not retry simultaneously. */
const RANDOM_SHARE = 0.5;
/** An outage that follows another one sooner is not reported: SQS may respond to every second call. */
const SAY_AGAIN_AFTER_MS = 60_000;
const MAX_REASON_CHARS = 200;

/** Who is informed of outages. */
export type SqsOutageOptions = {
  /** Called with a line when SQS stops responding, and when it responds again; by default, standard error. */
  onNotice?: (text: string) => void;
  longestWaitMs?: number;
  /** The name of the service. */
  service?: string;
};

/** Tracks an outage, from a failed call until one succeeds, for all pollers of a queue together. */
export class SqsOutage {
  readonly #onNotice: (text: string) => void;
  readonly #longestWaitMs: number;
  readonly #service: string;
  #since: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #isSaid = false;
  #hasSucceeded = false;

  constructor({
    onNotice = noticeOnStandardError,
    longestWaitMs = LONGEST_WAIT_MS,
    service = 'SQS',
  }: SqsOutageOptions) {
    this.#service = service;
    this.#onNotice = onNotice;
    this.#longestWaitMs = longestWaitMs;
  }

  /** Resolves when SQS may be called again, or at the signal. */
  async failed(error: unknown, signal: AbortSignal): Promise<void> {
    this.#since ??= this.#begin(error);
    const lasted = Date.now() - this.#since;
    const most = Math.min(this.#longestWaitMs, Math.max(SHORTEST_WAIT_MS, lasted));
    const milliseconds = most * (1 - RANDOM_SHARE * Math.random());
    await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  }

  /** @returns now */
  #begin(error: unknown): number {
    const now = Date.now();
    this.#isSaid = now - this.#saidAt > SAY_AGAIN_AFTER_MS;
    if (this.#isSaid) {
      this.#saidAt = now;
      this.#onNotice(`${this.#service} does not answer as expected (${reasonOf(error)}): asked again until it does`);
    }
    return now;
  }

  get isGoingOn(): boolean {
    return this.#since !== undefined;
  }

  succeeded(): void {
    this.#hasSucceeded = true;
    if (this.#since === undefined) return;
    this.#since = undefined;
    if (this.#isSaid) this.#onNotice(`${this.#service} answers again`);
  }

  /** As the function of this name. Credentials that were available before are only late: their service has an outage too. */
  mayPass(error: unknown): boolean {
    return mayPass(error) || (this.#hasSucceeded && Error.isError(error) && error.name === 'CredentialsProviderError');
  }
}

function reasonOf(error: unknown): string {
  const { name = 'Error', message = '', code } = error as NodeJS.ErrnoException;
  const text = [code ?? name, message].filter((part) => part !== '').join(': ');
  // The SDK appends lines for debugging.
  return visibleLine((text.split('\n', 1)[0] ?? '').slice(0, MAX_REASON_CHARS));
}

const THROTTLING = /throttl|toomanyrequests|overlimit|slowdown|limitexceeded/i;
/** Error names of requests that timed out. */
const NO_ANSWER = new Set(['TimeoutError', 'AbortError']);

/**
 * Whether an error of SQS is transient: no response, an interrupted response, a server error, or throttling. A missing queue
 * and invalid credentials are permanent.
 */
export function mayPass(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  if (NO_ANSWER.has(error.name)) return true;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  // Not thrown by the SDK.
  if ($metadata === undefined) return false;
  const { httpStatusCode } = $metadata;
  if (httpStatusCode === undefined) return true;
  return httpStatusCode < 400 || httpStatusCode >= 500 || httpStatusCode === 429 || THROTTLING.test(error.name);
}
