import { createHmac, randomBytes } from 'node:crypto';
import { MAX_URL_CHARS } from './limits.ts';

/** The prefix of a secret, before the key in base64; see https://www.standardwebhooks.com. */
const PREFIX = 'whsec_';
/** The specification asks for 24 to 64 bytes. */
const SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;
const NEW_KEY_BYTES = 32;

/** Whether a text is a secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  return SECRET.test(text);
}

/** A new random secret. */
export function newWebhookSecret(): string {
  return `${PREFIX}${randomBytes(NEW_KEY_BYTES).toString('base64')}`;
}

/** A message to send: `id` is the same for each try, `at` is not. */
export type WebhookMessage = { id: string; at: Date; body: string };

/**
 * The headers that authenticate a message and its time, by Standard Webhooks 1.0: the HMAC-SHA256 of `id.seconds.body` in
 * base64, with the version `v1`.
 *
 * @param secret see {@link isWebhookSecret}
 */
export function webhookHeaders(secret: string, { id, at, body }: WebhookMessage): Record<string, string> {
  const seconds = String(Math.floor(at.getTime() / 1_000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
}

/** Whether a text is a valid URL for a webhook. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || text.length > MAX_URL_CHARS || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '';
}

/** What {@link isWebhookUrl} accepts, for messages that begin with "expected". */
export const WEBHOOK_URL_RULE = 'an http or https URL without a user name and a password';
