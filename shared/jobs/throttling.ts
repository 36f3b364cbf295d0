import { setTimeout as delay } from 'node:timers/promises';
import { type AwsClient, middlewareOf } from './named-calls.ts';

/** What S3 and SQS call it when they want fewer requests. */
const THROTTLED = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'KmsThrottled',
]);
const THROTTLED_STATUS = new Set([429, 503]);

/** How a client is treated by a service that wants fewer requests. */
export type Throttling = {
  /** What the service answers, e.g. `SlowDown`, and what it says about it. */
  code: string;
  message: string;
  /** Requests that were answered, and refused, since the last report or the first refusal. */
  answered: number;
  refused: number;
  /** What these numbers are of; 0 at the first refusal. */
  seconds: number;
};

/** How long a client waits, and who is informed. */
export type PatienceOptions = {
  /** Called at the first refusal, and then at most once per `reportMs` while there are more. */
  onThrottled: (throttling: Throttling) => void;
  /** The pause after the first refusal, at most; it doubles while there are more, and halves with each answer. */
  baseMs?: number;
  maxMs?: number;
  reportMs?: number;
  /** Without an answer for so long, the refusal is an error after all. */
  giveUpAfterMs?: number;
};

type ServiceError = { name?: string; message?: string; $metadata?: { httpStatusCode?: number } };

/** Whether an error of the SDK says that the service wants fewer requests. */
export function isThrottled(error: unknown): error is Error {
  const { name = '', $metadata } = (error ?? {}) as ServiceError;
  return THROTTLED.has(name) || THROTTLED_STATUS.has($metadata?.httpStatusCode ?? 0);
}

/**
 * Lets a client go on when a service answers SlowDown or the like: the request that was refused is sent again after a
 * pause, and nothing of what was done before is done twice. For commands; a worker has a deadline and gives its messages
 * back instead.
 *
 * @returns the client
 */
export function withPatience<Client extends AwsClient>(client: Client, options: PatienceOptions): Client {
  const patience = new Patience(options);
  middlewareOf(client).add(
    (next) => async (args) => {
      for (;;) {
        try {
          const answer = await next(args);
          patience.answered();
          return answer;
        } catch (error) {
          if (!isThrottled(error) || !isRepeatable(args.input) || !patience.refused(error)) throw error;
          await patience.pause();
        }
      }
    },
    // Around what the SDK tries by itself, within what names the call.
    { step: 'initialize', priority: 'low', name: 'patience' },
  );
  return client;
}

/** A stream can be sent once. */
function isRepeatable(input: object): boolean {
  const body = 'Body' in input ? input.Body : undefined;
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array;
}

/** Shared by all requests of a client: what one of them learns slows all of them down. */
class Patience {
  readonly #options: Required<PatienceOptions>;
  /** How often the pause was doubled. */
  #level = 0;
  /** Requests that were sent together are refused together: they double the pause once. */
  #doubleFrom = 0;
  #lastAnswer = performance.now();
  #lastReport: number | undefined;
  #sinceReport = { answered: 0, refused: 0 };

  constructor(options: PatienceOptions) {
    this.#options = { baseMs: 500, maxMs: 20_000, reportMs: 10_000, giveUpAfterMs: 600_000, ...options };
  }

  answered(): void {
    this.#level = Math.max(0, this.#level - 1);
    this.#lastAnswer = performance.now();
    this.#sinceReport.answered++;
  }

  /** @returns whether to try again */
  refused(error: Error): boolean {
    const now = performance.now();
    if (now >= this.#doubleFrom) {
      this.#level++;
      this.#doubleFrom = now + this.#longest();
    }
    this.#sinceReport.refused++;
    if (this.#lastReport === undefined || now - this.#lastReport >= this.#options.reportMs) this.#report(error, now);
    return now - this.#lastAnswer < this.#options.giveUpAfterMs;
  }

  /** Of random length, so that requests that were refused together do not come back together. */
  pause(): Promise<void> {
    return delay(this.#longest() * (0.5 + Math.random() / 2));
  }

  #longest(): number {
    const { baseMs, maxMs } = this.#options;
    return Math.min(maxMs, baseMs * 2 ** Math.max(0, this.#level - 1));
  }

  #report({ name, message }: Error, now: number): void {
    const seconds = this.#lastReport === undefined ? 0 : (now - this.#lastReport) / 1_000;
    this.#options.onThrottled({ code: name, message, ...this.#sinceReport, seconds });
    this.#lastReport = now;
    this.#sinceReport = { answered: 0, refused: 0 };
  }
}
