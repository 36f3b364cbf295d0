import type { Command } from 'commander';
import { type JobRun, runField } from '../../shared/contract/job-run.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { NoSuchJobError } from '../../shared/jobs/outcome-errors.ts';
import { sampledLines } from '../../shared/jobs/sample-parts.ts';
import { embeddingAdvice } from '../embeddings/advice.ts';
import type { EmbeddedLine } from '../embeddings/embedded-lines.ts';
import { targetFromEnvironment } from '../jobs/job-target.ts';
import { counted } from '../terminal/counted.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { Best } from './best.ts';
import { cosine } from './cosine.ts';
import { type QueryOptions, queryImage } from './query-image.ts';
import { type ExpectedEmbedding, type ScanCounts, scanEmbeddings } from './scan-embeddings.ts';
import { type SimilarImage, similarImage } from './similar-image.ts';
import { pairsText, similarText } from './similar-text.ts';

type Options = QueryOptions & { top: number; minScore?: number; duplicates?: true; json?: true };

/** Pairs with lower scores are rarely the same picture, see docs/embeddings.md. */
const MIN_SCORE_OF_DUPLICATES = 0.85;

/** Lists the images of a job that look most like one image, or the most similar pairs. */
export async function similar(job: string, image: string | undefined, options: Options, self: Command): Promise<void> {
  if ((image === undefined) !== (options.duplicates ?? false)) {
    self.error('error: expected an image to compare with, or --duplicates');
  }
  const target = targetFromEnvironment();
  interruptible(() => `interrupted; to start over: ${rerunCommand()}`);
  const description = await readJob(target, job);
  const of: JobRun = { job, ...runField(description?.run) };
  const { lines } = await sampledLines(target, 'results', of);
  if (lines === 0 && description === undefined) throw new NoSuchJobError(target, job);
  const scan = { target, of, lines };
  await (image === undefined ? printPairs(scan, options) : printSimilar(scan, image, options));
}

type Scan = { target: JobTarget; of: JobRun; lines: number };

async function printSimilar(scan: Scan, image: string, { top, minScore = -1, json, ...query }: Options): Promise<void> {
  const { target, of } = scan;
  const { values: wanted, trunk, id } = await queryImage(target, of, image, query);
  const best = new Best<SimilarImage>(top);
  const ids = new Set<string>();
  const counts = await scanWithProgress(scan, { trunk, length: wanted.length }, (line, values) => {
    if (line.id === id || ids.has(line.id)) return;
    const score = cosine(wanted, values);
    if (score >= minScore && best.add(score, similarImage(line))) ids.add(line.id);
  });
  if (json) {
    const images = best.items().map(({ score, item }) => ({ score, ...item }));
    print(`${JSON.stringify({ job: of.job, image, trunk: trunk.trunk, ...countsJson(counts), images })}\n`);
  } else print(similarText(best.items()));
}

async function printPairs(scan: Scan, { top, minScore = MIN_SCORE_OF_DUPLICATES, json }: Options): Promise<void> {
  const { NearDuplicates } = await import('./near-duplicates.ts');
  const images = new NearDuplicates();
  const counts = await scanWithProgress(scan, undefined, (line, values) => images.add(line, values));
  const progress = startProgress('compared', counts.embedded);
  const found = images.pairs(minScore, top, (done) => progress.update(done));
  progress.stop();
  if (json) {
    const pairs = found.pairs.map(({ score, item }) => ({ score, ...item }));
    print(`${JSON.stringify({ job: scan.of.job, ...countsJson(counts), found: found.found, pairs })}\n`);
    return;
  }
  print(pairsText(found));
  const limitText = found.found > found.pairs.length ? `; showing the ${found.pairs.length} most similar` : '';
  printNote(`${counted(found.found, 'pair')} with a score of at least ${minScore}${limitText}\n`);
}

async function scanWithProgress(
  { target, of, lines }: Scan,
  wanted: ExpectedEmbedding | undefined,
  visit: (line: EmbeddedLine, values: Float32Array) => void,
): Promise<ScanCounts> {
  const progress = startProgress('read', lines);
  const counts = await scanEmbeddings(target, of, wanted, visit, ({ read }) =>
    progress.update(Math.min(read, lines)),
  ).finally(() => progress.stop());
  if (counts.embedded === 0) {
    throw new CommandError(`no result line of ${of.job} has an embedding: ${embeddingAdvice()}`);
  }
  if (counts.withoutEmbedding > 0) {
    printNote(`${counted(counts.withoutEmbedding, 'line')} without an embedding skipped: ${embeddingAdvice()}\n`);
  }
  return counts;
}

function countsJson({ embedded, withoutEmbedding }: ScanCounts) {
  return { compared: embedded, withoutEmbedding };
}
