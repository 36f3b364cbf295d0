import type { ImageRef } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';

/** Enqueues these images as a new run of a job, as `labelqueue enqueue` does with those of a list. */
export async function enqueueImages(
  target: JobTarget,
  images: readonly ImageRef[],
  { job, perMessage = 10, source = '-' }: { job: string; perMessage?: number; source?: string },
): Promise<void> {
  const each = async function* () {
    yield* images;
  };
  await enqueue(target, each(), newJob({ job, source, sourceDigest: '', perMessage, images: images.length }));
}
