import { setTimeout as delay } from 'node:timers/promises';
import { type AwsClient, middlewareOf } from './named-calls.ts';

/** The error codes of S3 and SQS for throttled requests. */
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

/** How a service throttles a client. */
export type Throttling = {
  /** The error code of the service, e.g. `SlowDown`; `message` is its message. */
  code: string;
  message: string;
  /** Requests that succeeded, and that were throttled, since the last report or the first throttled request. */
  answered: number;
  refused: number;
  /** The period of these numbers; 0 for the first throttled request. */
  seconds: number;
};

/** How long a client waits, and who is informed. */
export type PatienceOptions = {
  /** Called for the first throttled request, and then at most once per `reportMs` while there are more. */
  onThrottled: (throttling: Throttling) => void;
  /** The maximum pause after the first throttled request; doubled while there are more, halved with each success. */
  baseMs?: number;
  maxMs?: number;
  reportMs?: number;
  /** Without a success for this long, a throttled request fails. */
  giveUpAfterMs?: number;
};

type ServiceError = { name?: string; message?: string; $metadata?: { httpStatusCode?: number } };

/** Whether an error of the SDK means that the request was throttled. */
export function isThrottled(error: unknown): error is Error {
  const { name = '', $metadata } = (error ?? {}) as ServiceError;
  return THROTTLED.has(name) || THROTTLED_STATUS.has($metadata?.httpStatusCode ?? 0);
}

/**
 * Lets a client wait and retry when a service throttles it. For commands; a worker has a deadline, and lets its messages be
 * redelivered instead.
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
    // Outside of the retries of the SDK, inside of `withNamedCalls`.
    { step: 'initialize', priority: 'low', name: 'patience' },
  );
  return client;
}

/** A stream can only be sent once. */
function isRepeatable(input: object): boolean {
  const body = 'Body' in input ? input.Body : undefined;
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array;
}

/** Shared by all requests of a client: throttling of one slows down all. */
class Patience {
  readonly #options: Required<PatienceOptions>;
  /** How often the pause was doubled. */
  #level = 0;
  /** Concurrent requests are throttled together, and must double the pause only once. */
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

  /** @returns whether to retry */
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

  /** With jitter, so that requests that were throttled together are not retried together. */
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
