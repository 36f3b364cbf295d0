import { startLocalService } from '../../local/local-service.ts';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';

/** The HTTP API as `labelqueue local` serves it, with no workers: jobs stay on the queue. */
export type LocalApi = AsyncDisposable & {
  address: string;
  target: JobTarget;
  /** The variables that point the command at the same queue and bucket. */
  environment: Record<string, string>;
  /** What its process has logged so far. */
  log(): string;
};

/** @param environment settings of the API */
export async function startLocalApi(environment: Record<string, string>): Promise<LocalApi> {
  let log = '';
  const service = await startLocalService({
    port: 0,
    apiPort: 0,
    workers: 0,
    workerEnvironment: { SOURCE_BUCKETS: 'labelqueue', ...environment },
    onLog(text) {
      log += text;
    },
    onFunctionError(error) {
      log += `${error.message}\n`;
    },
  });
  const { apiAddress, aws } = service;
  if (apiAddress === undefined) throw new Error('expected the service to have an API');
  const target = createJobTarget(jobSettingsFrom(aws.environment), { ...aws.clientConfig, maxAttempts: 1 });
  return {
    address: apiAddress,
    target,
    environment: aws.environment,
    log: () => log,
    async [Symbol.asyncDispose]() {
      target.sqs.destroy();
      target.s3.destroy();
      await service.stop();
    },
  };
}
