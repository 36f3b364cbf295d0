import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { z } from 'zod';
import { JOB_NAME } from '../../shared/contract/job-name.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import type { ClassifierSettings } from '../../shared/settings.ts';
import type { DeadLetterFilter } from '../contract/dead-letters.ts';
import type { Environment, Session } from '../contract/session.ts';
import { Access } from './access.ts';
import { ApiFailure } from './api-failure.ts';
import { isRange } from './buckets.ts';
import {
  cancelRun,
  checkConfirmed,
  deadLetterChangeSchema,
  deadLetterFilterSchema,
  jobChangeSchema,
  jobRedriveSchema,
  noSuchJob,
  redriveFailures,
} from './changes.ts';
import { DeadLetterService } from './dead-letter-service.ts';
import { displayText } from './display-text.ts';
import { EventStreams } from './event-stream.ts';
import { type ExportOutcomes, Exports } from './exports.ts';
import { type Insight, NO_FACTS } from './insight.ts';
import { JobPages } from './job-pages.ts';
import { addPage } from './page-routes.ts';
import { runbookEntry } from './runbook.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { isServiceAway } from './service-away.ts';
import { Thumbnails } from './thumbnails.ts';
import { Watch } from './watch.ts';
import { WatchedMetrics } from './watched-metrics.ts';

export type DashboardOptions = {
  /** Its clients must give up soon, because nothing is shown while they wait. See `dashboard-target.ts`. */
  target: JobTarget;
  /** Of the same queue and bucket, for changes: its clients must retry for a reasonable time. By default `target`. */
  changesTarget?: JobTarget;
  environment: Environment;
  /** Of labelqueue. */
  version: string;
  /** If false, each POST is refused. */
  allowsChanges: boolean;
  /** Where the server listens: a name or an address. */
  host: string;
  /** What each request must have; undefined where the host is this machine's loopback alone. */
  token?: string;
  /** The rules by which images are fetched for thumbnails. */
  classifier: ClassifierSettings;
  exportOutcomes: ExportOutcomes;
  /** Milliseconds after which a download that is not read ends. */
  maxIdleMs?: number;
  insight?: Insight;
  /** Prometheus text for `GET /metrics`; by default the page's figures. */
  metrics?: () => Promise<string>;
  /** Milliseconds between two polls of the queue. */
  pauseMs?: number;
  /** Called with unexpected errors; the browser only learns that there was one. */
  onUnexpectedError: (error: unknown) => void;
};

/** The dashboard as an HTTP application, for a server of its own or beside others. */
export type DashboardApp = {
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>;
  /** Ends streams and polling. */
  close(): Promise<void>;
};

type Env = { Bindings: HttpBindings };
type AppContext = Context<Env>;

const MAX_BODY_BYTES = 64 * 1_024;
const DEFAULT_GALLERY = 24;
/** Responses are never cached, so that none is stale or readable by another origin. */
const NOT_KEPT = 'no-store';

export function createDashboard(options: DashboardOptions): DashboardApp {
  const {
    target,
    changesTarget = target,
    host,
    token,
    allowsChanges,
    environment,
    version,
    onUnexpectedError,
  } = options;
  const access = new Access({ host, token, allowsChanges });
  const watch = new Watch(options);
  const thumbnails = new Thumbnails(target, options.classifier);
  const pages = new JobPages({
    target,
    book: watch.book,
    thumbnails,
    onRead: () => streams.refresh(),
    onUnexpectedError,
  });
  const streams = new EventStreams(watch, pages);
  const desk = new DeadLetterService(changesTarget, thumbnails);
  const exports = new Exports(options.exportOutcomes, options.maxIdleMs);
  const session: Session = { csrfToken: access.csrfToken, allowsChanges, environment, version };

  const app = new Hono<Env>();
  app.use(compress());
  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
    const { method, path } = context.req;
    access.check({ method, path, headers: visitorHeaders(context, access) });
    await next();
  });
  app.get('/healthz', (context) => context.text('ok'));
  addPage(app, access);
  app.use('/api/*', (context, next) => {
    context.header('cache-control', NOT_KEPT);
    // The response would be produced but never read to its end: a stream, or a download.
    if (context.req.raw.method === 'HEAD') throw new ApiFailure('bad-request', 'expected GET or POST, got HEAD');
    return next();
  });
  app.get('/api/session', (context) => context.json(session));
  // For a dashboard in another process of this machine: it sees the queue, but not the process that has it.
  app.get('/api/facts', async (context) => context.json((await options.insight?.facts(Date.now())) ?? NO_FACTS));
  app.get('/api/events', (context) => {
    const range = context.req.query('range') ?? '1h';
    if (!isRange(range)) throw new ApiFailure('bad-request', 'expected the range 15m, 1h, 6h, 24h or 7d');
    const job = context.req.query('job');
    const body = streams.open({ range, job: job === undefined ? undefined : jobNamed(job) });
    return context.body(body, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  });
  app.get('/api/runbook/:entry', async (context) => {
    const entry = await runbookEntry(context.req.param('entry'));
    if (entry === undefined) throw new ApiFailure('not-found', 'the runbook has no such entry');
    return context.json(entry);
  });
  app.get('/api/dead-letters', async (context) => {
    const { job, code, host, text, fresh } = context.req.query();
    const filter = filterFrom(deadLetterFilterSchema, { job, code, host, text });
    return context.json(await desk.list(filter, fresh === '1'));
  });
  app.get('/api/jobs/:job', async (context) => context.json(await pages.detailOf(jobOf(context))));
  app.get('/api/jobs/:job/gallery', async (context) => {
    const limit = Number(context.req.query('limit') ?? DEFAULT_GALLERY);
    if (!(limit >= 1 && limit <= 100)) throw new ApiFailure('bad-request', 'expected a limit from 1 to 100');
    return context.json(
      await pages.gallery(jobOf(context), context.req.query('label') || undefined, Math.floor(limit)),
    );
  });
  app.get('/api/jobs/:job/thumbnails/:token', async (context) => {
    const picture = await thumbnails.get(context.req.param('token'));
    // The token is of this image, and of this start of the server.
    context.header('cache-control', 'private, max-age=86400, immutable');
    return context.body(new Uint8Array(picture), 200, { 'content-type': 'image/webp' });
  });
  app.get('/api/jobs/:job/:file{(results|failures)\\.(csv|jsonl|parquet)}', async (context) => {
    const [kind = '', format = ''] = context.req.param('file').split('.');
    const job = jobOf(context);
    await pages.lookedUp(job);
    const request = { job, kind: kind as PartKind, format: format as 'csv' };
    return exports.response(request, () => context.env.outgoing.destroy());
  });
  addChanges(app, { target: changesTarget, watch, desk });
  const watched = new WatchedMetrics(watch);
  const metrics = options.metrics ?? (() => watched.text());
  app.get('/metrics', async (context) =>
    context.text(await metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  app.notFound((context) => failureResponse(context, new ApiFailure('not-found', 'there is no such page')));
  app.onError((error, context) => failureResponse(context, toFailure(error, onUnexpectedError)));
  return {
    fetch: (request, bindings) => app.fetch(request, bindings),
    async close() {
      streams.close();
      await watch.close();
      await thumbnails.close();
    },
  };
}

/** `/?token=…` counts as the token: what follows is a redirect with a cookie, and the address without it. */
function visitorHeaders({ req, env }: AppContext, access: Access) {
  const { headers } = env.incoming;
  const given = req.path === '/' && req.method === 'GET' ? req.query('token') : undefined;
  const cookie = given === undefined ? undefined : access.cookieFor(given);
  return cookie === undefined ? headers : { ...headers, cookie: cookie.split(';', 1)[0] ?? '' };
}

type Changing = { target: JobTarget; watch: Watch; desk: DeadLetterService };

function addChanges(app: Hono<Env>, { target, watch, desk }: Changing): void {
  app.use('/api/*', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  app.post('/api/dead-letters/redrive', async (context) => {
    const { filter, confirm } = await bodyOf(context, deadLetterChangeSchema);
    const { jobs, ...changed } = await desk.redrive({ filter: filterFrom(deadLetterFilterSchema, filter), confirm });
    for (const job of jobs) watch.lookAgain(job);
    return context.json(changed);
  });
  app.post('/api/dead-letters/delete', async (context) => {
    const { filter, confirm } = await bodyOf(context, deadLetterChangeSchema);
    const changed = await desk.delete({ filter: filterFrom(deadLetterFilterSchema, filter), confirm });
    return context.json(changed);
  });
  app.post('/api/jobs/:job/cancel', async (context) => {
    const job = jobOf(context);
    checkConfirmed((await bodyOf(context, jobChangeSchema)).confirm, job);
    const changed = await cancelRun(target, job);
    watch.lookAgain(job);
    return context.json(changed);
  });
  app.post('/api/jobs/:job/redrive', async (context) => {
    const job = jobOf(context);
    const { confirm, codes } = await bodyOf(context, jobRedriveSchema);
    checkConfirmed(confirm, job);
    const changed = await redriveFailures(target, job, codes);
    watch.lookAgain(job);
    return context.json(changed);
  });
}

/** The rest of the body is not read, so the connection must be closed. */
function tooLarge(context: Context): never {
  context.header('connection', 'close');
  throw new ApiFailure('bad-request', `expected a body of at most ${MAX_BODY_BYTES} bytes`);
}

function jobOf(context: AppContext): string {
  return jobNamed(context.req.param('job') ?? '');
}

function jobNamed(name: string): string {
  if (JOB_NAME.test(name)) return name;
  throw noSuchJob(displayText(name));
}

async function bodyOf<Schema extends z.ZodType>(context: AppContext, schema: Schema): Promise<z.infer<Schema>> {
  const body: unknown = await context.req.json().catch((error: unknown) => {
    if (error instanceof SyntaxError) throw new ApiFailure('bad-request', 'expected a body of JSON');
    throw error;
  });
  return checked(schema, body);
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiFailure('bad-request', displayText(z.prettifyError(parsed.error)));
}

/** Without the fields that are missing or empty. */
function filterFrom(schema: typeof deadLetterFilterSchema, value: z.infer<typeof schema>): DeadLetterFilter {
  const given = Object.entries(value).filter(([, text]) => text !== undefined && text !== '');
  return Object.fromEntries(Object.entries(checked(schema, Object.fromEntries(given)))) as DeadLetterFilter;
}

function toFailure(error: unknown, onUnexpectedError: (error: unknown) => void): ApiFailure {
  if (error instanceof ApiFailure) return error;
  if (error instanceof NoSuchJobError) return noSuchJob('with this name');
  if (isServiceAway(error)) return new ApiFailure('service-away', 'SQS or S3 does not answer: try again');
  onUnexpectedError(error);
  return new ApiFailure('internal', 'this is a bug in labelqueue: its log has the details');
}

function failureResponse(context: AppContext, failure: ApiFailure): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  context.header('cache-control', NOT_KEPT);
  return context.json(failure.body, failure.status);
}
