import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize } from 'node:path';
import type { DeadLetters } from '../../../dashboard/contract/dead-letters.ts';
import type { Snapshot } from '../../../dashboard/contract/events.ts';
import type { Gallery, JobDetail } from '../../../dashboard/contract/jobs.ts';
import type { History } from '../../../dashboard/contract/queue.ts';
import type { Session } from '../../../dashboard/contract/session.ts';
import type { Range } from '../../../dashboard/contract/units.ts';

/** What the page is shown; tests change it and call `push`. */
export type Shown = {
  session: Session;
  snapshot: Snapshot;
  history(range: Range): History;
  details: Map<string, JobDetail>;
  gallery(job: string, label: string | undefined): Gallery;
  letters: DeadLetters;
};

/**
 * Serves the real page with figures that a test makes up: of what this machine has not, such as production on AWS, and of
 * sizes that take hours to make. Whatever can be had from the real server is tested with the real server.
 */
export type FixtureServer = AsyncDisposable & {
  origin: string;
  shown: Shown;
  /** Sends the snapshot to all pages. */
  push(): void;
  /** Pages that are connected. */
  openStreams(): number;
};

const PAGE = join(import.meta.dirname, '../../../dashboard/page');
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param port a free one by default */
export async function startFixtureServer(shown: Shown, port = 0): Promise<FixtureServer> {
  const pages = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response, shown, pages).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shown,
    push: () => {
      for (const page of pages) send(page, 'snapshot', shown.snapshot);
    },
    openStreams: () => pages.size,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, shown: Shown, pages: Set<ServerResponse>) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname.startsWith('/assets/')) return sendAsset(response, pathname.slice('/assets/'.length));
  if (pathname === '/api/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    pages.add(response);
    response.on('close', () => pages.delete(response));
    send(response, 'snapshot', shown.snapshot);
    send(response, 'history', shown.history((searchParams.get('range') ?? '1h') as Range));
    const job = searchParams.get('job');
    const detail = job === null ? undefined : shown.details.get(job);
    if (job !== null) send(response, detail ? 'job' : 'job-missing', detail ?? { job });
    return;
  }
  const body = await jsonAnswer(pathname, searchParams, shown);
  if (body !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } else if (pathname.includes('/thumbnails/')) {
    await sendPhoto(response, pathname);
  } else {
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY };
    response.writeHead(200, headers).end(await readFile(join(PAGE, 'index.html')));
  }
}

async function jsonAnswer(path: string, query: URLSearchParams, shown: Shown): Promise<object | undefined> {
  if (path === '/api/session') return shown.session;
  if (path === '/api/dead-letters') return { ...shown.letters, filter: Object.fromEntries(query) };
  const job = /^\/api\/jobs\/([^/]+)\/gallery$/.exec(path)?.[1];
  if (job !== undefined) return shown.gallery(decodeURIComponent(job), query.get('label') ?? undefined);
  const entry = /^\/api\/runbook\/(.+)$/.exec(path)?.[1];
  if (entry === undefined) return undefined;
  const runbook = await readFile(join(PAGE, '../../docs/runbook.md'), 'utf8');
  const title = entry.replaceAll('-', ' ');
  const markdown = new RegExp(`^## ${title}\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'im').exec(runbook)?.[1] ?? '';
  return { entry, title: title.replace(/^./, (letter) => letter.toUpperCase()), markdown };
}

const PHOTOS = ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg', 'astronaut.jpg'];

async function sendPhoto(response: ServerResponse, path: string): Promise<void> {
  const name = PHOTOS[Number(path.match(/\d+$/)?.[0] ?? PHOTOS.length)];
  if (name === undefined) return void response.writeHead(404).end();
  const photo = await readFile(join(PAGE, '../../samples/photos', name));
  response.writeHead(200, { 'content-type': 'image/jpeg' }).end(photo);
}

async function sendAsset(response: ServerResponse, name: string): Promise<void> {
  const path =
    { 'vendor/chart.js': chartPath(), 'vendor/preact.js': preactPath() }[name] ?? join(PAGE, normalize(name));
  const type = TYPES[extname(name)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type }).end(await readFile(path));
}

function chartPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
}

function preactPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve('preact')), 'preact.mjs');
}

function send(response: ServerResponse, event: string, data: object): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
