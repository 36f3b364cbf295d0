import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** The default address of the metadata service; the variable of the SDKs overrides it. */
const ENDPOINT = 'http://169.254.169.254';
const TOKEN_SECONDS = 21_600;
/** AWS: look every five seconds. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html */
const LOOK_EVERY_MS = 5_000;
const ANSWER_TIMEOUT_MS = 2_000;
const MAX_ANSWER_BYTES = 4_096;

const ACTION = '/latest/meta-data/spot/instance-action';
const REBALANCE = '/latest/meta-data/events/recommendations/rebalance';
const actionSchema = z.object({ action: z.string(), time: z.iso.datetime({ offset: true }) });

/** A notice of EC2; `at` is when the instance ends, in epoch milliseconds, if known. */
export type SpotNotice = { reason: 'interruption' | 'rebalance'; at?: number };

/**
 * The notices to act on: `all` means interruptions and rebalance recommendations. Only interruptions are for instances of an
 * Auto Scaling group, which handles recommendations itself, possibly much later or never.
 */
export type SpotReasons = 'all' | 'interruption';

/** Where notices are looked up, and how often. */
export type SpotWatchOptions = {
  signal: AbortSignal;
  /** `all` by default. */
  reasons?: SpotReasons;
  /** Called with a line when the metadata service does not respond, once per outage. */
  onNotice: (text: string) => void;
  endpoint?: string | undefined;
  lookEveryMs?: number;
};

/** Resolves at an interruption notice or a rebalance recommendation for this Spot instance. Never after the signal. */
export async function untilSpotNotice(options: SpotWatchOptions): Promise<SpotNotice> {
  const { signal, onNotice, reasons = 'all', lookEveryMs = LOOK_EVERY_MS } = options;
  const metadata = new InstanceMetadata(options.endpoint || ENDPOINT);
  let isSaid = false;
  while (!signal.aborted) {
    try {
      const notice = await look(metadata, reasons);
      isSaid = false;
      if (notice !== undefined) return notice;
    } catch (error) {
      if (!isSaid)
        onNotice(`the instance metadata does not answer (${(error as Error).message}): asked again until it does`);
      isSaid = true;
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return new Promise(() => {});
}

async function look(metadata: InstanceMetadata, reasons: SpotReasons): Promise<SpotNotice | undefined> {
  const action = await metadata.get(ACTION);
  if (action !== undefined) return interruption(action);
  if (reasons === 'interruption') return undefined;
  return (await metadata.get(REBALANCE)) === undefined ? undefined : { reason: 'rebalance' };
}

/** The document exists only when the instance will be interrupted, whatever its content. */
function interruption(text: string): SpotNotice {
  const { data } = actionSchema.safeParse(jsonOf(text));
  return { reason: 'interruption', ...(data !== undefined && { at: Date.parse(data.time) }) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** IMDSv2: a token first, then a path with it. */
class InstanceMetadata {
  readonly #endpoint: string;
  #token: string | undefined;

  constructor(endpoint: string) {
    this.#endpoint = endpoint.replace(/\/+$/, '');
  }

  /** @returns undefined when there is no such document. @throws when there is no response, or an unexpected one */
  async get(path: string): Promise<string | undefined> {
    let response = await this.#askWithToken(path);
    // Tokens expire after six hours: that is not an outage.
    if (response.status === 401) response = await this.#askWithToken(path);
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw new Error(`expected status 200 or 404, got ${response.status}`);
    return response.text;
  }

  async #askWithToken(path: string): Promise<{ status: number; text: string }> {
    this.#token ??= await this.#newToken();
    const response = await this.#ask(path, { headers: { 'x-aws-ec2-metadata-token': this.#token } });
    if (response.status === 401) this.#token = undefined;
    return response;
  }

  async #newToken(): Promise<string> {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) };
    const { status, text } = await this.#ask('/latest/api/token', { method: 'PUT', headers });
    if (status !== 200) throw new Error(`expected a token, got status ${status}`);
    return text;
  }

  async #ask(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(`${this.#endpoint}${path}`, { ...init, signal, redirect: 'error' });
    const text = await response.text();
    return { status: response.status, text: text.slice(0, MAX_ANSWER_BYTES) };
  }
}
