import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  classifyingStatements,
  type FunctionResources,
  logStatements,
  type ObjectPatterns,
  resultStatements,
} from '../function/permissions.ts';
import type { Queues } from '../queue/job-queues.ts';

/** All that the worker may do: each statement names its resources. */
export function workerStatements({ config, queues, results, logGroup }: FunctionResources): PolicyStatement[] {
  return [
    ...logStatements(logGroup),
    ...queueStatements(queues),
    ...resultStatements(results, WORKER_WRITES),
    ...classifyingStatements(config),
  ];
}

/** Receiving and deleting is what Lambda's event source does in the function's name; `addEventSource` grants it. */
function queueStatements({ queue, deadLetterQueue }: Queues): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn, deadLetterQueue.queueArn],
    }),
  ];
}

/** Objects of the results bucket that the worker touches, and why there is a wildcard in their names. */
export const WORKER_WRITES: ObjectPatterns = {
  'results/*': 'The names of part files are made of the ids in them.',
  'failures/*': 'The names of part files are made of the ids in them.',
  'cancelled/*': 'A worker marks a run that passes its limits as cancelled, whatever the name of its job.',
  'jobs/*/cancelled': 'A worker marks a job that passes its limits as cancelled, whatever the name of the job.',
  'jobs/*/guard.json': 'Workers keep the last count of a job that has limits, whatever the name of the job.',
};
