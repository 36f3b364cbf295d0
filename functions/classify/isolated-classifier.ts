/**
 * The entry point of the isolated process, which classifies redelivered images: an image that crashes it affects no other.
 * Takes one image at a time from its parent.
 */
import { classifyImages, type ImageOutcome } from '../../shared/classifier/classify-images.ts';
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
  await classifyImages([{ url }], pipeline, { onOutcome: (_image, outcome) => report(toReport(outcome)) });
}

function toReport(outcome: ImageOutcome): IsolatedReport {
  if (outcome === 'not_reached' || outcome === 'cancelled' || outcome instanceof PutOff)
    throw new Error('an isolated image has no deadline, is not cancelled, and is never put off');
  if (!(outcome instanceof ImageFailure)) return { kind: 'classified', ...outcome };
  const { code, message, retryAfterSeconds } = outcome;
  return { kind: 'error', code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

function report(message: IsolatedReport): void {
  process.send?.(message);
}
