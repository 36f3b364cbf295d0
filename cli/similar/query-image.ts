import { stat } from 'node:fs/promises';
import { decodeEmbedding } from '../../shared/contract/embedding.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { JobRun } from '../../shared/contract/job-run.ts';
import { parseS3Url } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { classifyInputs } from '../classify/classify-inputs.ts';
import { embeddedLine, linesIn, modelText } from '../embeddings/embedded-lines.ts';
import type { NamedTrunk } from '../embeddings/other-trunk-error.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { partsOf } from './scan-embeddings.ts';

/** What the images of a job are compared with. */
export type QueryImage = {
  values: Float32Array;
  trunk: NamedTrunk;
  /** Of an image of the job, which is not compared with itself. */
  id?: string;
};

export type QueryOptions = ModelOptions & { allowHost?: string[] };

/**
 * The embedding of an image: of a file if there is one, of the image of the job with that id, or else of what a URL leads to.
 *
 * @throws {CommandError} when it is none of them, or cannot be fetched or decoded
 */
export async function queryImage(
  target: JobTarget,
  of: JobRun,
  image: string,
  options: QueryOptions,
): Promise<QueryImage> {
  if (await namesFile(image)) return embedded(image, options);
  const ofJob = await imageOfJob(target, of, image);
  if (ofJob !== undefined) return ofJob;
  if (/^(https?|s3):/i.test(image)) return embedded(image, options);
  throw new CommandError(
    `${visibleLine(image)}: expected the id of an image of ${of.job} that has an embedding, a file or a URL`,
  );
}

/** A folder may have the name of an id; a pipe is read as a file is. */
async function namesFile(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isDirectory();
}

async function imageOfJob(target: JobTarget, of: JobRun, id: string): Promise<QueryImage | undefined> {
  const wanted = `"id":${JSON.stringify(id)}`;
  for await (const part of partsOf(target, of)) {
    if (!part.includes(wanted)) continue;
    for (const text of linesIn(part)) {
      const line = text.includes(wanted) ? embeddedLine(text) : undefined;
      const values = line?.id === id ? decodeEmbedding(line.embedding) : undefined;
      if (line !== undefined && values !== undefined) {
        return { id, values, trunk: { trunk: line.trunk, model: modelText(line) } };
      }
    }
  }
  return undefined;
}

/** With the model of this machine, as a worker would. */
async function embedded(image: string, { allowHost, ...model }: QueryOptions): Promise<QueryImage> {
  const bucket = parseS3Url(image)?.bucket;
  const settings = classifierSettingsFrom({
    ...process.env,
    ...modelEnvironment(model),
    EMBEDDING: '1',
    ...(bucket !== undefined && { SOURCE_BUCKETS: [process.env['SOURCE_BUCKETS'], bucket].join(',') }),
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
  const { outcomes, model: id } = await classifyInputs([image], settings);
  const [outcome] = outcomes;
  if (outcome instanceof ImageFailure) {
    throw new CommandError(`${visibleLine(image)}: ${outcome.code}: ${visibleLine(outcome.message)}`);
  }
  const values = decodeEmbedding(outcome?.embedding?.embedding);
  if (values === undefined) throw new Error('the model was loaded for embeddings and gave none');
  return { values, trunk: { trunk: outcome?.embedding?.trunk ?? '', model: `${id.name} ${id.version}` } };
}
