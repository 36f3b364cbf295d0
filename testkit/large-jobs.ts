import { createJobTarget, type JobTarget } from '../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../shared/settings.ts';
import { startChildModule } from './child-module.ts';
import type { CallCounts, LargeJobsOptions, LargeJobsReport } from './large-jobs-main.ts';

/** Jobs with millions of part files, behind a real HTTP server in a process of its own. */
export type LargeJobs = AsyncDisposable & {
  /** For a command. */
  environment: Record<string, string>;
  target: JobTarget;
  counts(): Promise<CallCounts>;
};

export async function startLargeJobs(options: LargeJobsOptions): Promise<LargeJobs> {
  const server = await startChildModule<LargeJobsReport>(
    new URL('./large-jobs-main.ts', import.meta.url),
    JSON.stringify(options),
  );
  const { endpoint } = server.report;
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    QUEUE_URL: `${endpoint}/000000000000/labelqueue`,
    DEAD_LETTER_QUEUE_URL: `${endpoint}/000000000000/labelqueue-dead-letters`,
    RESULTS_BUCKET: 'labelqueue',
  };
  const target = createJobTarget(jobSettingsFrom(environment), {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return {
    environment,
    target,
    counts: async () => (await (await fetch(`${endpoint}/counts`)).json()) as CallCounts,
    async [Symbol.asyncDispose]() {
      target.s3.destroy();
      target.sqs.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
