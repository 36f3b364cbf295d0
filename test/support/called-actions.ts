import type { Call } from './targeted-faults.ts';

/** What IAM is asked for a request: an action, on the queue, the DLQ, the bucket, or an object of it by its key. */
export type CalledAction = { action: string; on: 'queue' | 'dlq' | 'bucket' | { key: string } };

/** The rights that a request to SQS or S3 needs; a deletion of several objects needs one each. */
export function actionsOf(call: Call): CalledAction[] {
  const target = call.headers['x-amz-target'];
  return typeof target === 'string' ? [sqsAction(target, call)] : s3Actions(call);
}

/** Batches need the right of what they are batches of. */
function sqsAction(target: string, { body }: Call): CalledAction {
  const action = target.replace('AmazonSQS.', '').replace(/Batch$/, '');
  const { QueueUrl }: { QueueUrl: string } = JSON.parse(body.toString());
  return { action: `sqs:${action}`, on: QueueUrl.endsWith('-dlq') ? 'dlq' : 'queue' };
}

const OF_METHODS: Record<string, string> = {
  GET: 'GetObject',
  HEAD: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

function s3Actions({ method, path, body }: Call): CalledAction[] {
  const { pathname, searchParams } = new URL(path, 'http://s3');
  const key = decodeURIComponent(pathname.replace(/^\/[^/]+\/?/, ''));
  if (searchParams.has('delete')) {
    const keys = [...body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name = '']) => name);
    return keys.map((name) => ({ action: 's3:DeleteObject', on: { key: name } }));
  }
  if (key === '') return [{ action: 's3:ListBucket', on: 'bucket' }];
  return [{ action: `s3:${OF_METHODS[method] ?? method}`, on: { key } }];
}
