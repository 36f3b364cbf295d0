import { discardBody } from '../../shared/classifier/fetch/body-bytes.ts';
import type { HttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { WEBHOOK_TIMEOUT_MS } from '../../shared/contract/limits.ts';
import { webhookHeaders } from '../../shared/contract/standard-webhook.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import type { Announce } from './announce-end.ts';
import { announcementOf } from './announcement.ts';

/** A webhook did not accept an announcement. */
export class WebhookError extends UserError {
  override readonly name = 'WebhookError';
}

/** What webhooks are sent with. */
export type WebhookOptions = {
  http: Pick<HttpClient, 'post'>;
  /** Undefined when none is configured. */
  secret: () => Promise<string | undefined>;
  now?: () => Date;
  timeoutMs?: number;
};

/**
 * Sends announcements to the URL that a job names, as Standard Webhooks specifies: signed, and accepted only with status 2xx.
 * Redirects are not followed, and the body of the response is not read. The address rules are those of images.
 */
export function createWebhook({
  http,
  secret: readSecret,
  now = () => new Date(),
  timeoutMs = WEBHOOK_TIMEOUT_MS,
}: WebhookOptions): (url: string) => Announce {
  return (url) => async (end) => {
    const secret = await readSecret();
    if (secret === undefined) {
      throw new WebhookError(
        'expected WEBHOOK_SECRET or WEBHOOK_SECRET_PARAMETER to be set: a webhook is signed or not sent',
      );
    }
    const body = announcementOf(end);
    const headers = { 'content-type': 'application/json', ...webhookHeaders(secret, { id: end.id, at: now(), body }) };
    const { statusCode, body: answer } = await http.post(
      new URL(url),
      { headers, body },
      AbortSignal.timeout(timeoutMs),
    );
    discardBody(answer);
    if (statusCode < 200 || statusCode > 299) throw new WebhookError(`expected status 2xx, got ${statusCode}`);
  };
}
