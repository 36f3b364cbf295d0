import { ImageFailure } from '../../contract/error-codes.ts';
import {
  MAX_FETCHES_PER_HOST,
  MAX_REMEMBERED_HOSTS,
  REST_IN_FETCH_TIMEOUTS,
  SILENT_FETCHES_AFTER_ANSWERS,
  SILENT_FETCHES_BEFORE_REST,
  SLOW_FAILURE_MS,
} from '../../contract/limits.ts';
import { PutOff } from '../put-off.ts';

/**
 * The state of a host: it responds; nothing is known; it has not responded so far, or has rested and may be tried again; it
 * rests.
 */
export type Standing = 'answers' | 'unknown' | 'suspect' | 'resting';

/** `silences`: consecutive fetches without a response. */
type Health = { hasAnswered: boolean; silences: number; restUntil: number };
const NOTHING_KNOWN: Readonly<Health> = { hasAnswered: false, silences: 0, restUntil: 0 };

/**
 * A circuit breaker per host: after three consecutive fetches without a response, or 16 where it has responded before, the
 * host rests for three fetch timeouts. Then a single fetch checks whether it responds again. One per process: it outlives
 * invocations.
 *
 * Remembers a bounded number of hosts, in two generations: a host that was not used while the younger one filled up is
 * forgotten with the older one.
 */
export class HostHealth {
  readonly #restMs: number | undefined;
  readonly #now: () => number;
  #younger = new Map<string, Health>();
  #older = new Map<string, Health>();

  /**
   * @param fetchTimeoutMs the timeout of a fetch; without it no host ever rests
   * @param now in milliseconds, by the wall clock: a process may be frozen between invocations
   */
  constructor(fetchTimeoutMs?: number, now: () => number = Date.now) {
    this.#restMs = fetchTimeoutMs === undefined ? undefined : fetchTimeoutMs * REST_IN_FETCH_TIMEOUTS;
    this.#now = now;
  }

  standingOf(host: string): Standing {
    const { hasAnswered, silences, restUntil } = this.#of(host);
    if (this.#isDown({ hasAnswered, silences })) return restUntil > this.#now() ? 'resting' : 'suspect';
    if (hasAnswered) return 'answers';
    return silences === 0 ? 'unknown' : 'suspect';
  }

  /** How many fetches of the host may run at once. */
  fetchesAtOnce(host: string): number {
    const { hasAnswered, silences } = this.#of(host);
    if (this.#isDown({ hasAnswered, silences })) return 1;
    if (this.#restMs === undefined || hasAnswered || silences === 0) return MAX_FETCHES_PER_HOST;
    // It has not responded so far: more fetches than decide whether it must rest would be wasted.
    return SILENT_FETCHES_BEFORE_REST;
  }

  /**
   * Ends the rest of a host, for an image that can no longer be put off: after three more fetches without a response the host
   * rests again. So no image fails for what its host did long ago.
   */
  giveAnotherChance(host: string): void {
    const health = this.#of(host);
    if (!this.#isDown(health)) return;
    const silences = silencesBeforeRest(health) - SILENT_FETCHES_BEFORE_REST;
    this.#younger.set(host, { ...health, silences });
  }

  /** The outcome of an image of a resting host: put off until the host may be tried again. */
  putOff(host: string): PutOff {
    const seconds = Math.max(0, this.#of(host).restUntil - this.#now()) / 1_000;
    const expected = `expected ${host} to respond: it has stopped responding, and was retried later`;
    return new PutOff('host_rests', seconds, expected);
  }

  /** Records the result of a fetch, and its duration in milliseconds. */
  saw(host: string, fetched: Buffer | ImageFailure, milliseconds: number): void {
    const { hasAnswered, silences } = this.#of(host);
    if (isSilence(fetched, milliseconds)) {
      const restUntil = this.#now() + (this.#restMs ?? 0);
      this.#younger.set(host, { hasAnswered, silences: silences + 1, restUntil });
    } else if (isAnswer(fetched)) {
      this.#younger.set(host, { hasAnswered: true, silences: 0, restUntil: 0 });
    }
    if (this.#younger.size < MAX_REMEMBERED_HOSTS / 2) return;
    this.#older = this.#younger;
    this.#younger = new Map();
  }

  #isDown(health: Pick<Health, 'hasAnswered' | 'silences'>): boolean {
    return this.#restMs !== undefined && health.silences >= silencesBeforeRest(health);
  }

  #of(host: string): Readonly<Health> {
    return this.#younger.get(host) ?? this.#older.get(host) ?? NOTHING_KNOWN;
  }
}

function silencesBeforeRest({ hasAnswered }: Pick<Health, 'hasAnswered'>): number {
  return hasAnswered ? SILENT_FETCHES_AFTER_ANSWERS : SILENT_FETCHES_BEFORE_REST;
}

/** A server that stalls and then resets or responds 503 costs as much as one that never responds. */
function isSilence(fetched: Buffer | ImageFailure, milliseconds: number): boolean {
  if (!(fetched instanceof ImageFailure)) return false;
  return fetched.code === 'timeout' || (fetched.retryable && milliseconds >= SLOW_FAILURE_MS);
}

/** A refused connection is neither silence nor a response: it costs nothing and proves nothing. */
function isAnswer(fetched: Buffer | ImageFailure): boolean {
  if (!(fetched instanceof ImageFailure)) return true;
  return !fetched.retryable || fetched.code === 'server_error' || fetched.code === 'rate_limited';
}
