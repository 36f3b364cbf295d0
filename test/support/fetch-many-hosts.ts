/**
 * A process that fetches an image of each of many hosts, and uses S3 and SQS beside that, several times in a row.
 * Arguments: a port, the number of hosts and of rounds. Its environment is that of a producer.
 */
import { readdirSync } from 'node:fs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createHttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { FETCH_TIMEOUT_MS, IMAGES_IN_FLIGHT } from '../../shared/contract/limits.ts';
import { createJobTarget } from '../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';

/** What each round came to. */
export type ManyHostsRound = {
  /** By code; `ok` for an image that was had. */
  outcomes: Record<string, number>;
  awsCalls: number;
  openFiles: number;
};

const AWS_CALLS = 40;

const [port = '', hosts = '', rounds = ''] = process.argv.slice(2);
const addresses = Array.from({ length: Number(hosts) }, (_, index) => `127.1.${index >> 8}.${index & 255}:${port}`);
const { s3, sqs, queueUrl: QueueUrl, resultsBucket: Bucket } = createJobTarget(jobSettingsFrom(process.env), {});
const sources = { http: createHttpClient(addresses), s3: createObjectReader(s3, []) };
const never = new AbortController().signal;

async function fetchFrom(host: string): Promise<string> {
  const outcome = await fetchImage(`http://${host}/a.jpg`, sources, never, { timeoutMs: FETCH_TIMEOUT_MS });
  return outcome instanceof ImageFailure ? outcome.code : 'ok';
}

async function useAws(): Promise<number> {
  const calls = Array.from({ length: AWS_CALLS }, (_, index) =>
    index % 2 === 0
      ? s3.send(new PutObjectCommand({ Bucket, Key: `${index}`, Body: 'bytes' }))
      : sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] })),
  );
  return (await Promise.all(calls)).length;
}

for (let round = 0; round < Number(rounds); round++) {
  const codes = await pMap(addresses, fetchFrom, { concurrency: IMAGES_IN_FLIGHT });
  const counts = [...Map.groupBy(codes, (code) => code)].map(([code, { length }]) => [code, length]);
  const report: ManyHostsRound = {
    outcomes: Object.fromEntries(counts),
    awsCalls: await useAws(),
    openFiles: readdirSync('/proc/self/fd').length,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
await sources.http.close();
