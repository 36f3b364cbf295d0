/**
 * Run by `startOwnProcess`: the embedded AWS. Its arguments are the queue's visibility timeout in seconds, and the data
 * folder; everything is in memory without one.
 */
import { type EmbeddedAws, startEmbeddedAws } from '../local/embedded-aws.ts';
import { reportReady } from './own-process.ts';

export type OwnAws = Pick<EmbeddedAws, 'environment' | 'clientConfig'>;

const [, , visibilityTimeoutSeconds, dataDir] = process.argv;
const { environment, clientConfig } = await startEmbeddedAws({
  port: 0,
  visibilityTimeoutSeconds: Number(visibilityTimeoutSeconds),
  ...(dataDir !== undefined && { dataDir }),
});
reportReady({ environment, clientConfig } satisfies OwnAws);
