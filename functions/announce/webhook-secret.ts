import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { isWebhookSecret } from '../../shared/contract/standard-webhook.ts';
import type { AnnounceSettings } from '../../shared/settings.ts';
import { WebhookError } from './webhook.ts';

/** How long a secret of SSM is cached. */
const CACHE_MS = 5 * 60_000;

type Settings = Pick<AnnounceSettings, 'webhookSecret' | 'webhookSecretParameter'>;

/** Reads the secret that webhooks are signed with: the configured one, or that in SSM; undefined when there is neither. */
export function webhookSecretOf({
  webhookSecret,
  webhookSecretParameter: name,
}: Settings): () => Promise<string | undefined> {
  if (webhookSecret !== undefined || name === undefined) return async () => webhookSecret;
  let cached: { secret: string; until: number } | undefined;
  return async () => {
    if (cached === undefined || performance.now() > cached.until) {
      cached = { secret: await readParameter(name), until: performance.now() + CACHE_MS };
    }
    return cached.secret;
  };
}

async function readParameter(Name: string): Promise<string> {
  // Most stages have no webhooks.
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  const { Parameter } = await new SSMClient({ requestHandler: SDK_REQUEST_OPTIONS }).send(
    new GetParameterCommand({ Name, WithDecryption: true }),
  );
  const secret = Parameter?.Value ?? '';
  if (isWebhookSecret(secret)) return secret;
  throw new WebhookError(`expected whsec_ and 24 to 64 bytes in base64 in the parameter ${Name} of SSM`);
}
