import { exporterOf } from '../../cli/dashboard/dashboard-export.ts';
import type { EventsByName } from '../../dashboard/contract/events.ts';
import type { Session } from '../../dashboard/contract/session.ts';
import type { DashboardOptions } from '../../dashboard/server/app.ts';
import { startDashboard } from '../../dashboard/server/dashboard-server.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';

/** The real dashboard's server, as pages and others speak to it. */
export type TestDashboard = AsyncDisposable & {
  /** Ends with a slash. */
  address: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  json<Answer>(path: string): Promise<Answer>;
  /** With all that a page sends; headers of the caller take their places. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Opens a page: its stream of events. */
  open(query?: string): Promise<OpenPage>;
  /** What it took for a bug. */
  surprises: unknown[];
};

/** An open stream of events. */
export type OpenPage = AsyncDisposable & {
  /** The next event of this name that fits; those of other names are passed over. */
  next<Name extends keyof EventsByName>(
    name: Name,
    fits?: (data: EventsByName[Name]) => boolean,
  ): Promise<EventsByName[Name]>;
  /** All that came so far, as text. */
  text(): string;
};

export async function startTestDashboard(
  target: JobTarget,
  options: Partial<DashboardOptions> & { allowedHosts?: string } = {},
): Promise<TestDashboard> {
  const surprises: unknown[] = [];
  const { allowedHosts = '', ...given } = options;
  const server = await startDashboard({
    port: 0,
    target,
    environment: { name: 'this machine', kind: 'local', region: null, endpoint: null },
    version: '0.0.0',
    allowsChanges: false,
    host: '127.0.0.1',
    classifier: classifierSettingsFrom({ ALLOWED_HOSTS: allowedHosts, SOURCE_BUCKETS: 'labelqueue' }),
    exportOutcomes: exporterOf(target),
    pauseMs: 20,
    onUnexpectedError: (error) => surprises.push(error),
    ...given,
  });
  const { address } = server;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, address), { headers, redirect: 'manual' });
  const json = async <Answer>(path: string) => (await (await get(path)).json()) as Answer;
  return {
    address,
    surprises,
    get,
    json,
    async post(path, body, headers = {}) {
      const { csrfToken } = await json<Session>('/api/session');
      return fetch(new URL(path, address), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-labelqueue-csrf': csrfToken, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
    open: (query = 'range=15m') => openPage(`${address}api/events?${query}`),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** An answer of the API, and its status. */
export async function answerOf(response: Response): Promise<{ status: number; [field: string]: unknown }> {
  return { status: response.status, ...((await response.json()) as object) };
}

async function openPage(address: string): Promise<OpenPage> {
  const controller = new AbortController();
  const response = await fetch(address, { signal: controller.signal });
  if (response.body === null) throw new Error('expected a stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let [text, at] = ['', 0];
  /** The next event's text, without the blank line that ends it. */
  const event = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf('\n\n', at);
      if (end !== -1) {
        const found = text.slice(at, end);
        at = end + 2;
        return found;
      }
      const { value = '', done } = await reader.read();
      if (done) throw new Error(`expected another event, the stream has ended: ${text.slice(-300)}`);
      text += value;
    }
  };
  return {
    text: () => text,
    async next(name, fits = () => true) {
      for (;;) {
        const [, data] = (await event()).split(`event: ${name}\n`);
        if (data === undefined) continue;
        const parsed = JSON.parse(data.slice(data.indexOf('data: ') + 'data: '.length));
        if (fits(parsed)) return parsed;
      }
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await reader.cancel().catch(() => undefined);
    },
  };
}
