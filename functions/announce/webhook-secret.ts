import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { isWebhookSecret } from '../../shared/contract/standard-webhook.ts';
import type { AnnounceSettings } from '../../shared/settings.ts';
import { WebhookError } from './webhook.ts';

/** How long a secret of SSM is taken for the newest one. */
const KEPT_MS = 5 * 60_000;

type Settings = Pick<AnnounceSettings, 'webhookSecret' | 'webhookSecretParameter'>;

/** What webhooks are signed with: as it is set, or as SSM has it; undefined when neither is configured. */
export function webhookSecretOf({
  webhookSecret,
  webhookSecretParameter: name,
}: Settings): () => Promise<string | undefined> {
  if (webhookSecret !== undefined || name === undefined) return async () => webhookSecret;
  let kept: { secret: string; until: number } | undefined;
  return async () => {
    if (kept === undefined || performance.now() > kept.until) {
      kept = { secret: await readParameter(name), until: performance.now() + KEPT_MS };
    }
    return kept.secret;
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
