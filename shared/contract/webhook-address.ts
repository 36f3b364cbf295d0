import { MAX_URL_CHARS } from './limits.ts';

/** Whether a text is a valid URL for a webhook. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || text.length > MAX_URL_CHARS || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '';
}

/** What {@link isWebhookUrl} accepts, for messages that begin with "expected". */
export const WEBHOOK_URL_RULE = 'an http or https URL without a user name and a password';
