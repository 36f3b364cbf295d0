import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import {
  isWebhookSecret,
  isWebhookUrl,
  newWebhookSecret,
  webhookHeaders,
} from '../../shared/contract/standard-webhook.ts';

const body = JSON.stringify({ type: 'job.ended', data: { job: 'Katzen – 猫' } });

test("the library of Standard Webhooks verifies a webhook's headers", () => {
  const secret = newWebhookSecret();
  const headers = webhookHeaders(secret, { id: 'jobend_1', at: new Date(), body });
  expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
});

test.each([
  ['another body', `${body} `, {}, newWebhookSecret()],
  ['another id', body, { 'webhook-id': 'jobend_2' }, newWebhookSecret()],
  ['another time', body, { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) + 1) }, newWebhookSecret()],
])('%s has another signature', (_, given, changed, secret) => {
  const headers = webhookHeaders(secret, { id: 'jobend_1', at: new Date(), body });
  expect(() => new Webhook(secret).verify(given, { ...headers, ...changed })).toThrow('No matching signature');
});

test('the example of the specification has its signature', () => {
  const headers = webhookHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
  });
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test.each([
  [newWebhookSecret(), true],
  ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', true],
  ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', false],
  ['whsec_short', false],
  ['', false],
])('%s is a secret: %s', (text, isOne) => {
  expect(isWebhookSecret(text)).toBe(isOne);
});

test.each([
  ['https://hooks.example/labels?team=1', true],
  ['http://127.0.0.1:8080/', true],
  ['ftp://hooks.example/', false],
  ['https://me:secret@hooks.example/', false],
  ['hooks.example', false],
  [`https://hooks.example/${'a'.repeat(9_000)}`, false],
])('%.40s can be a webhook: %s', (text, isOne) => {
  expect(isWebhookUrl(text)).toBe(isOne);
});
