import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ANNOUNCE_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { newWebhookSecret } from '../../shared/contract/standard-webhook.ts';
import { readEndRecord } from '../../shared/jobs/end-record.ts';
import { newestRun } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import { EventSource } from '../support/lambda/event-source.ts';

const HANDLER = join(import.meta.dirname, '../../functions/announce/handler.ts');
const ANNOUNCERS = 2;
/** Lambda does not give up: no fault rate shall end its polling. */
const EVENT_SOURCE_ATTEMPTS = 20;
const POLL_MS = 500;

export type AnnouncersOptions = {
  aws: AwsAccess;
  /** Of the fault proxy. */
  endpoint: string;
  target: JobTarget;
  onLog: (text: string) => void;
};

/** What announces ends, through the fault proxy, and a webhook that gets the announcements. */
export type Announcers = AsyncDisposable & {
  url: string;
  environments: readonly ExecutionEnvironment[];
  /** Of each announcement that arrived. */
  ids: readonly string[];
  /** Looks until it is disposed of. The URL has to be known before, to those who enqueue. */
  start(options: AnnouncersOptions): AsyncDisposable;
  /** Whether the end of the job was announced in time. */
  announced(job: string, withinSeconds: number): Promise<boolean>;
};

export async function createAnnouncers(): Promise<Announcers> {
  const ids: string[] = [];
  const environments: ExecutionEnvironment[] = [];
  const hook = createServer(async (request, response) => {
    ids.push(((await json(request)) as { data: { id: string } }).data.id);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(hook.address() as AddressInfo).port}`;
  let of: JobTarget | undefined;
  return {
    url: `http://${host}/`,
    environments,
    ids,
    start({ aws, endpoint, target, onLog }) {
      of = target;
      const environment = {
        ...{ ...aws.environment, AWS_ENDPOINT_URL: endpoint },
        ...{ WEBHOOK_SECRET: newWebhookSecret(), ALLOWED_HOSTS: host },
      };
      for (let index = 0; index < ANNOUNCERS; index++) {
        const timeoutSeconds = ANNOUNCE_TIMEOUT_SECONDS;
        environments.push(new ExecutionEnvironment({ handlerPath: HANDLER, timeoutSeconds, environment, onLog }));
      }
      const sqs = new SQSClient({ ...aws.clientConfig, endpoint, maxAttempts: EVENT_SOURCE_ATTEMPTS });
      const queueUrl = aws.environment.JOB_END_QUEUE_URL;
      const onFunctionError = ({ message }: Error) => onLog(`${JSON.stringify({ announcerError: message })}\n`);
      const source = new EventSource({ sqs, queueUrl, environments, batchSize: 1, onFunctionError });
      source.start();
      return {
        async [Symbol.asyncDispose]() {
          await source.stop();
          sqs.destroy();
          await Promise.all(environments.map((one) => one.shutDown()));
        },
      };
    },
    async announced(job, withinSeconds) {
      if (of === undefined) throw new Error('expected to be started before');
      const run = await newestRun(of, job);
      for (const giveUpAt = Date.now() + withinSeconds * 1_000; Date.now() < giveUpAt; await delay(POLL_MS)) {
        const { record } = await readEndRecord(of, run);
        if (record?.state === 'ended' && record.announced) return true;
      }
      return false;
    },
    async [Symbol.asyncDispose]() {
      hook.closeAllConnections();
      await new Promise((resolve) => hook.close(resolve));
    },
  };
}
