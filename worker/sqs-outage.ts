import { setTimeout as delay } from 'node:timers/promises';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { noticeOnStandardError } from './notice.ts';

/** How long SQS is left alone after it did not answer: as long as that goes on, within these. */
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** Of a wait, so that pollers do not ask all at once. */
const RANDOM_SHARE = 0.5;
/** An outage that begins sooner after another one is not reported: SQS may answer every second call. */
const SAY_AGAIN_AFTER_MS = 60_000;
const MAX_REASON_CHARS = 200;

/** Who is informed of outages. */
export type SqsOutageOptions = {
  /** Is given a line when SQS stops answering, and another when it answers again; standard error without. */
  onNotice?: (text: string) => void;
  longestWaitMs?: number;
  /** What does not answer. */
  service?: string;
};

/** From a call of SQS that failed until one has succeeded, for all pollers of a queue together. */
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

  /** Like the function of this name. Credentials that were there once are only late: their service has an outage, too. */
  mayPass(error: unknown): boolean {
    return mayPass(error) || (this.#hasSucceeded && Error.isError(error) && error.name === 'CredentialsProviderError');
  }
}

function reasonOf(error: unknown): string {
  const { name = 'Error', message = '', code } = error as NodeJS.ErrnoException;
  const text = [code ?? name, message].filter((part) => part !== '').join(': ');
  // The SDK adds lines for those who debug it.
  return visibleLine((text.split('\n', 1)[0] ?? '').slice(0, MAX_REASON_CHARS));
}

const THROTTLING = /throttl|toomanyrequests|overlimit|slowdown|limitexceeded/i;
/** Of requests that got no answer within their time. */
const NO_ANSWER = new Set(['TimeoutError', 'AbortError']);

/**
 * Whether a call of SQS may succeed later: it had no answer, an answer that broke off, one of a server that could not,
 * or was throttled. A queue that is not there, and a key that is not valid, stay so.
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
