import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../../shared/contract/exact-json.ts';
import { ImageTooLargeError } from '../../../shared/contract/pack-messages.ts';
import { defaultJobName } from '../../../shared/jobs/default-job-name.ts';
import {
  enqueue,
  newJob,
  RunEndedError,
  readEarlierTry,
  resumedFrom,
  resumeProblem,
} from '../../../shared/jobs/enqueue.ts';
import { jobStatus as readJobStatus } from '../../../shared/jobs/job-status.ts';
import type { JobTarget } from '../../../shared/jobs/job-target.ts';
import { OutcomeCounter } from '../../../shared/jobs/outcome-counter.ts';
import { type PreflightResult, preflight, scannedImages } from '../../../shared/jobs/preflight.ts';
import { type InvalidRow, type SourceRow, toSourceRow } from '../../../shared/jobs/source-row.ts';
import type { Answer, Operation } from '../operation.ts';
import { ProblemResponse, schemaProblem } from '../problem.ts';
import { problemResponses } from '../problem-responses.ts';
import { type JobRequest, jobAcceptedSchema, jobPathSchema, jobRequestSchema, jobStatusSchema } from '../schemas.ts';

/** The source in `job.json`. */
const SOURCE = 'POST /jobs';

/** `POST /jobs` */
export const enqueueJob: Operation = {
  document: {
    operationId: 'enqueueJob',
    summary: 'Enqueue images as a job.',
    requestBody: { required: true, content: { 'application/json': { schema: jobRequestSchema } } },
    responses: {
      '202': {
        description: 'all images are on the queue',
        headers: z.object({ location: z.string().meta({ description: 'the path of the status of the job' }) }),
        content: { 'application/json': { schema: jobAcceptedSchema } },
      },
      ...problemResponses(['invalid_request', 'job_exists', 'body_too_large', 'unsupported_media_type']),
    },
  },
  async handle({ query, mediaType, body }, { target }) {
    const given = Object.keys(query);
    if (given.length > 0)
      return new ProblemResponse('invalid_request', `expected no parameters, got ${given.join(', ')}`);
    if (mediaType !== 'application/json') {
      return new ProblemResponse(
        'unsupported_media_type',
        `expected application/json, got ${mediaType || 'no Content-Type'}`,
      );
    }
    const json = parseBody(body);
    if (json === undefined) return new ProblemResponse('invalid_request', 'expected the body to be JSON in UTF-8');
    const request = jobRequestSchema.safeParse(json);
    return request.success ? enqueued(request.data, target) : schemaProblem(request.error, json);
  },
};

/** Undefined for a body that is not UTF-8, or not JSON. */
function parseBody(body: Buffer): unknown {
  return isUtf8(body) ? parseJson(new TextDecoder().decode(body)) : undefined;
}

async function enqueued(request: JobRequest, target: JobTarget): Promise<Answer | ProblemResponse> {
  const job = request.job ?? newJobName(new Date());
  const rows = () => rowsOf(request.images);
  const invalid: InvalidRow[] = [];
  const found = await preflightOf(rows(), job, (row) => invalid.push(row));
  if (found instanceof ProblemResponse) return found;
  const [first] = invalid;
  if (first !== undefined) {
    return new ProblemResponse(
      'invalid_request',
      `invalid images: ${invalid.length}; nothing was enqueued: images[${first.line}]: ${first.problem}`,
    );
  }
  const earlier = await readEarlierTry(target, job);
  const before = earlier?.description;
  const problem = resumeProblem(earlier, found.digest, request.resume === true, 'or send it with "resume": true');
  if (problem !== undefined) return new ProblemResponse('job_exists', problem);
  const { repetitions } = found;
  if (before?.state === 'enqueued') return accepted({ ...before, repetitions });

  const plan = newJob({
    job,
    source: SOURCE,
    sourceDigest: found.digest,
    perMessage: before?.perMessage ?? found.perMessage,
    images: found.images,
  });
  try {
    const { images, messages } = await enqueue(target, scannedImages(rows(), found), resumedFrom(before, plan));
    return accepted({ job, images, messages, repetitions });
  } catch (error) {
    if (error instanceof RunEndedError) return new ProblemResponse('job_exists', error.message);
    throw error;
  }
}

function accepted({ job, images, messages, repetitions }: z.infer<typeof jobAcceptedSchema>): Answer {
  return { status: 202, body: { job, images, messages, repetitions }, headers: { location: `/jobs/${job}` } };
}

/** Unique even when two producers send requests in the same second. */
function newJobName(now: Date): string {
  return `${defaultJobName('api', now)}-${randomBytes(4).toString('hex')}`;
}

async function* rowsOf(images: JobRequest['images']): AsyncGenerator<SourceRow> {
  for (const [index, image] of images.entries()) {
    const given = typeof image === 'string' ? { url: image } : image;
    const { imagelink, ...rest } = { imagelink: undefined, ...given };
    yield toSourceRow(index, '', imagelink === undefined ? rest : { ...rest, url: imagelink }, undefined);
  }
}

async function preflightOf(
  rows: AsyncGenerator<SourceRow>,
  job: string,
  onInvalid: (row: InvalidRow) => void,
): Promise<PreflightResult | ProblemResponse> {
  try {
    return await preflight(rows, { job, perMessage: undefined }, onInvalid);
  } catch (error) {
    if (error instanceof ImageTooLargeError) return new ProblemResponse('invalid_request', error.message);
    throw error;
  }
}

/**
 * How long part files are listed and ids are read. The counts of a job that needs longer are estimates, or it shows as running
 * while its ids are read; the next request continues. The rest of the 29 s is for slow responses of S3.
 */
const COUNT_MS = 10_000;

/** Counters are reused: a process has one target, and clients poll the same job. */
const counters = new WeakMap<JobTarget, OutcomeCounter>();

function counterOf(target: JobTarget): OutcomeCounter {
  const counter = counters.get(target) ?? new OutcomeCounter(target);
  counters.set(target, counter);
  return counter;
}

/** `GET /jobs/{job}` */
export const jobStatus: Operation = {
  document: {
    operationId: 'jobStatus',
    summary: 'Get the progress of a job.',
    requestParams: { path: jobPathSchema },
    responses: {
      '200': { description: 'the status', content: { 'application/json': { schema: jobStatusSchema } } },
      ...problemResponses(['invalid_request', 'no_such_job']),
    },
  },
  async handle({ path }, { target }) {
    const parsed = jobPathSchema.safeParse(path);
    if (!parsed.success) return schemaProblem(parsed.error, path);
    const { job } = parsed.data;
    const options = { counter: counterOf(target), signal: AbortSignal.timeout(COUNT_MS) };
    const status = await readJobStatus(target, job, new Date(), options);
    return status === undefined
      ? new ProblemResponse('no_such_job', `no job ${job} was enqueued`)
      : { status: 200, body: status };
  },
};
