/**
 * Run by `startAwsProcess`: the embedded AWS. Its arguments are the queue's visibility timeout in seconds, and the data
 * folder; everything is in memory without one.
 */
import { startEmbeddedAws } from '../local/embedded-aws.ts';
import type { AwsAccess } from './aws-process.ts';
import { reportReady } from './child-module.ts';

const [, , visibilityTimeoutSeconds, dataDir] = process.argv;
const { environment, clientConfig } = await startEmbeddedAws({
  port: 0,
  visibilityTimeoutSeconds: Number(visibilityTimeoutSeconds),
  ...(dataDir !== undefined && { dataDir }),
});
reportReady({ environment, clientConfig } satisfies AwsAccess);
