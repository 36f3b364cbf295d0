import { MAX_RECEIVE_COUNT, STRANDED_BESIDE_OTHERS_AFTER_MS } from '../../shared/contract/limits.ts';
import { formatMessage } from '../../shared/contract/message.ts';
import type { NamedRun } from '../../shared/jobs/end-look.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { receive, redeliver } from './deliveries.ts';
import { anyRun, describeRun } from './ended-run.ts';

const queueNameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);

/** A run whose only message the embedded SQS moved to the DLQ, when nothing had happened for long. */
export async function strandedLongAgo(
  aws: TestAws,
  ids: readonly string[],
  urlOf = (id: string) => `https://host.example/${id}`,
): Promise<NamedRun> {
  const of = anyRun();
  const at = new Date(Date.now() - STRANDED_BESIDE_OTHERS_AFTER_MS - 60_000);
  await describeRun(aws.target, of, ids, { startedAt: at.toISOString(), updatedAt: at.toISOString() });
  const images = ids.map((id) => ({ id, url: urlOf(id) }));
  await aws.send(formatMessage({ ...of, attempt: 1, images }));
  for (let delivery = 0; delivery < MAX_RECEIVE_COUNT; delivery++) await redeliver(aws, await receive(aws));
  await receive(aws);
  for (const letter of aws.server.inspectQueue(queueNameOf(aws.target.deadLetterQueueUrl))?.messages.ready ?? []) {
    letter.sentTimestamp = at.getTime();
  }
  return of;
}
