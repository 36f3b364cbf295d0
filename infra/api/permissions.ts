import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  classifyingStatements,
  type FunctionResources,
  logStatements,
  type ObjectPatterns,
  resultStatements,
} from '../function/permissions.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { StackConfig } from '../stage-config.ts';

/** What the API writes of a job: it enqueues, and has no part in outcomes. */
const API_WRITES: ObjectPatterns = {
  'jobs/*/job.json': 'The API describes the jobs that it enqueues, whatever their names.',
  'runs/*': 'The API writes down which run of a job counts, whatever its name.',
  'jobs/*/order-*': 'The API writes down the order of the images of a job, whatever its name.',
};

/** With ends that are announced: a job that is resumed goes on after its end. */
export function apiWrites({ jobEvents }: StackConfig): ObjectPatterns {
  if (jobEvents === undefined) return API_WRITES;
  return { ...API_WRITES, 'jobs/*/end.json': 'The API reopens the end of a job that it resumes, whatever its name.' };
}

/** What else the API reads: the ids of a job, where the names of its files do not prove that it is complete. */
export const API_READS: ObjectPatterns = {
  'results/*': 'The API counts the outcomes of a job, whatever its name.',
  'failures/*': 'The API counts the outcomes of a job, whatever its name.',
};

/** All that the API may do: each statement names its resources. */
export function apiStatements({
  config,
  queues,
  results,
  logGroup,
}: FunctionResources & { config: StackConfig }): PolicyStatement[] {
  return [
    ...logStatements(logGroup),
    ...queueStatements(queues),
    ...resultStatements(results, apiWrites(config)),
    new PolicyStatement({
      actions: ['s3:GetObject'],
      resources: Object.keys(API_READS).map((pattern) => results.arnForObjects(pattern)),
    }),
    ...classifyingStatements(config),
  ];
}

function queueStatements({ queue, deadLetterQueue }: Queues): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }),
    // The status of a job includes the depth of the queues.
    new PolicyStatement({
      actions: ['sqs:GetQueueAttributes'],
      resources: [queue.queueArn, deadLetterQueue.queueArn],
    }),
  ];
}
