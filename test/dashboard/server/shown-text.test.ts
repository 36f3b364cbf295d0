import { describe, expect, test } from '@jest/globals';
import { shownHost, shownText } from '../../../dashboard/server/shown-text.ts';

describe('untrusted text', () => {
  test.each([
    ['https://me:password@host/a.jpg?X-Amz-Signature=secret#secret', 'https://host/a.jpg'],
    ['got 404 of https://host/a?secret, twice', 'got 404 of https://host/a twice'],
    ['\u001b[2Jcat\u202Edog\n', '\\u001b[2Jcat\\u202edog\\u000a'],
    ['', ''],
  ])('%j is shown as %j', (given, shown) => {
    expect(shownText(given)).toBe(shown);
  });

  test('is cut after 300 characters, between characters', () => {
    const shown = shownText('😺'.repeat(1_000));
    expect(shown.length).toBeLessThanOrEqual(300);
    expect(shown.isWellFormed()).toBe(true);
  });

  test('of a megabyte shows no password whose host is cut off', () => {
    const shown = shownText(`see https://me:${'password'.repeat(100_000)}@host/a.jpg`);
    expect(shown).not.toContain('password');
  });
});

test.each([
  ['https://me:password@Host.example:8443/a.jpg', 'host.example:8443'],
  ['https://host/', 'host'],
  ['s3://bucket/key', 'bucket'],
  ['no url/at all', '-'],
  ['', '-'],
  [`https://${'x'.repeat(100_000)}/`, '-'],
])('the host of %.40s is %s', (url, host) => {
  expect(shownHost(url)).toBe(host);
});
