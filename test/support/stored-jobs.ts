import { createHash } from 'node:crypto';
import type { StoredObject } from '../../local/fauxqs-parts.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import { IdSum } from '../../shared/contract/id-sum.ts';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import { jobKey, type PartKind, partKey } from '../../shared/contract/object-keys.ts';
import { type FailureLine, failureLine, type ResultLine, resultLine } from '../../shared/contract/result-line.ts';
import type { TestAws } from '../../testkit/test-aws.ts';

/** A job whose part files lie in the bucket of the embedded AWS. */
export type StoredJob = {
  job: string;
  run: string;
  /** Part files with classified images. */
  results: number;
  /** Part files with failed images, by code. */
  failures: Partial<Record<ErrorCode, number>>;
  imagesPerPart: number;
  /** Ids of images that were sent and have no outcome. */
  remaining: readonly string[];
  startedAt: Date;
};

type WrittenObject = { key: string; body: string; writtenAt: Date };

/** The time that a worker reports for each part file. */
const TIME = { host: 'lambda', architecture: 'x86_64', memoryMb: 1_769, milliseconds: 900 } as const;
const PARTS_PER_SECOND = 50;
const FACTS = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };

/** Stores jobs without requests, of which ten thousand would take half a minute. */
export function storeJobs({ server, target }: TestAws, jobs: readonly StoredJob[]): void {
  for (const job of jobs) {
    for (const object of objectsOf(job)) server.storeObject(target.resultsBucket, storedObject(object));
  }
}

function storedObject({ key, body, writtenAt }: WrittenObject): StoredObject {
  return {
    ...{ key, body: Buffer.from(body), contentType: 'application/octet-stream', contentLength: body.length },
    ...{ etag: `"${createHash('md5').update(body).digest('hex')}"`, lastModified: writtenAt, metadata: {} },
  };
}

function* objectsOf(job: StoredJob): Generator<WrittenObject> {
  const ids = new IdSum();
  let images = 0;
  for (const lines of partsOf(job)) {
    for (const { id } of lines) ids.add(id);
    images += lines.length;
    yield partObject(job, lines);
  }
  for (const id of job.remaining) ids.add(id);
  yield descriptionObject(job, images + job.remaining.length, ids.toString());
}

function* partsOf(job: StoredJob): Generator<(ResultLine | FailureLine)[]> {
  const part = (name: string, index: number, lineOf: (origin: Origin) => ResultLine | FailureLine) =>
    Array.from({ length: job.imagesPerPart }, (_, line) => lineOf(originOf(job, index, `${name}-${index}-${line}`)));
  for (let index = 0; index < job.results; index++) {
    yield part('image', index, (of) => resultLine(of, [], { name: 'stub', version: '1' }, FACTS));
  }
  for (const [code, parts] of Object.entries(job.failures) as [ErrorCode, number][]) {
    const report = new ImageFailure(code, `expected an image, got ${code}`).report();
    for (let index = 0; index < parts; index++) yield part(code, index, (of) => failureLine(of, report));
  }
}

type Origin = Parameters<typeof resultLine>[0];

function originOf({ job, run, startedAt }: StoredJob, part: number, id: string): Origin {
  const at = new Date(startedAt.getTime() + (part / PARTS_PER_SECOND) * 1_000);
  return { job, run, image: { id, url: `https://host.example/${id}` }, attempt: 1, at };
}

/** With its first line only: the others count by the key. */
function partObject(of: StoredJob, lines: (ResultLine | FailureLine)[]): WrittenObject {
  const [first] = lines;
  if (first === undefined) throw new RangeError('expected at least one image per part');
  const kind: PartKind = 'error' in first ? 'failures' : 'results';
  const key = partKey(kind, of, lines as Parameters<typeof partKey>[2], TIME);
  return { key, body: `${JSON.stringify(first)}\n`, writtenAt: new Date(first.at) };
}

function descriptionObject(of: StoredJob, images: number, idSum: string): WrittenObject {
  const { job, run, startedAt, imagesPerPart } = of;
  const at = startedAt.toISOString();
  const description: JobDescription = {
    ...{ v: 1, job, run, state: 'enqueued', source: `${job}.csv`, sourceDigest: '', idSum },
    ...{ perMessage: imagesPerPart, images, sent: images, messages: Math.ceil(images / imagesPerPart) },
    ...{ startedAt: at, updatedAt: at },
  };
  return { key: jobKey(job), body: JSON.stringify(description), writtenAt: startedAt };
}
