import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Random } from '../support/random.ts';
import { ask, reply } from './aws-call.ts';
import { FAULTS, type FaultName } from './faults.ts';

/** Stands between SDK clients and AWS, and lets some of their requests go wrong. */
export type FaultProxy = AsyncDisposable & {
  endpoint: string;
  /** Requests that went wrong so far. */
  readonly faults: number;
  /** Leaves all requests of an action without effect and without an answer for a while. */
  silence(action: string, forMs: number): void;
};

/** @param rate share of the requests that go wrong, 0 to 1 */
export async function startFaultProxy(upstream: string, rate: number, random: Random): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const names = Object.keys(FAULTS) as FaultName[];
  let faults = 0;
  const silentUntil = new Map<string, number>();
  const isSilent = (target: unknown) => {
    const action = String(target).replace(/^AmazonSQS\./, '');
    return Date.now() < (silentUntil.get(action) ?? 0);
  };
  const server = createServer(async (request, response) => {
    const { method, headers, url = '/' } = request;
    const clientGone = new AbortController();
    response.once('close', () => clientGone.abort());
    try {
      const body = await buffer(request);
      const question = { agent, method, headers, signal: clientGone.signal };
      const forward = (changed = body) => ask(new URL(url, upstream), question, changed);
      if (isSilent(headers['x-amz-target'])) {
        faults++;
        return await FAULTS.silenceInstead({ body, response, forward });
      }
      if (!random.happens(rate)) return reply(response, await forward());
      faults++;
      await FAULTS[random.pick(names)]({ body, response, forward });
    } catch {
      // A client that was killed, or gave up, while its request was under way.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get faults() {
      return faults;
    },
    silence: (action, forMs) => void silentUntil.set(action, Date.now() + forMs),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}
