/**
 * The process of its own in which an image is classified that was in a worker when it died: what
 * the image does to it, it does to nobody else. Takes one image at a time from its parent.
 */
import { classifyImages } from '../../shared/classifier/classify-images.ts';
import { preferOomKill } from '../../shared/classifier/decode/out-of-memory.ts';
import { createPipeline } from '../../shared/classifier/pipeline.ts';
import { PutOff } from '../../shared/classifier/put-off.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { leaveSignalsToParent } from '../../shared/runtime/signals-of-parent.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import type { IsolatedReport, IsolatedRequest } from './isolation.ts';

leaveSignalsToParent();
preferOomKill();
const pipeline = await createPipeline(
  classifierSettingsFrom(process.env),
  createS3Client({ followRegionRedirects: true }),
);
process.on('message', (request: IsolatedRequest) => void classifyOne(request));
process.once('disconnect', () => process.exit(0));
report({ kind: 'ready' });

async function classifyOne({ url }: IsolatedRequest): Promise<void> {
  const never = new AbortController().signal;
  const ignore = { stage: () => {}, batch: () => {} };
  await classifyImages([{ url }], pipeline, never, (_image, outcome) => report(toReport(outcome)), ignore);
}

function toReport(outcome: Parameters<Parameters<typeof classifyImages>[3]>[1]): IsolatedReport {
  if (outcome === 'not_reached' || outcome === 'cancelled' || outcome instanceof PutOff)
    throw new Error('an isolated image has no deadline of its own, is wanted, and is never put off');
  if (!(outcome instanceof ImageFailure)) return { kind: 'classified', ...outcome };
  const { code, message, retryAfterSeconds } = outcome;
  return { kind: 'error', code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

function report(message: IsolatedReport): void {
  process.send?.(message);
}
