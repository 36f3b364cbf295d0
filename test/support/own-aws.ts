/** Run by `startOwnProcess`: the embedded AWS. Its argument is the queue's visibility timeout in seconds. */
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded-aws.ts';
import { reportReady } from './own-process.ts';

export type OwnAws = Pick<EmbeddedAws, 'environment' | 'clientConfig'>;

const { environment, clientConfig } = await startEmbeddedAws({
  port: 0,
  visibilityTimeoutSeconds: Number(process.argv[2]),
});
reportReady({ environment, clientConfig } satisfies OwnAws);
