import { describe, expect, test } from '@jest/globals';
import { startImageServer } from '../../testkit/image-server.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { codeOf, createFetcher, fakeDns } from './fetch-setup.ts';
import { REFUSED_HOSTS } from './refused-hosts.ts';

/** Public as far as the rules know, but of a block that nobody has been given: no packet gets there. */
const PUBLIC_BUT_NOWHERE = '2d00::1';
/** Enough for the system to say that there is no way; where it says nothing, the fetch is given up. */
const SHORT_MS = 300;

const [server] = await sharedByTests(startImageServer());

describe('never connects to', () => {
  test.each(Object.values(REFUSED_HOSTS).flat())('http://%s/', async (host) => {
    await using fetcher = createFetcher({});
    expect(codeOf(await fetcher.fetch(`http://${host}:${server.port}/refused.jpg`))).toBe('address_not_allowed');
    expect(server.requests('/refused.jpg')).toBe(0);
  });

  test.each(['localhost', 'LOCALHOST'])('http://%s/, by its own DNS answer', async (name) => {
    await using fetcher = createFetcher({});
    expect(codeOf(await fetcher.fetch(`http://${name}:${server.port}/refused.jpg`))).toBe('address_not_allowed');
    expect(server.requests('/refused.jpg')).toBe(0);
  });
});

describe('never requests', () => {
  test.each([
    ['file:///etc/passwd', 'scheme_not_allowed'],
    ['data:image/png;base64,iVBORw0KGgo=', 'scheme_not_allowed'],
    ['ftp://example.com/a.jpg', 'scheme_not_allowed'],
    ['gopher://example.com/a.jpg', 'scheme_not_allowed'],
    ['ws://example.com/a.jpg', 'scheme_not_allowed'],
    ['blob:https://example.com/0f8fad5b', 'scheme_not_allowed'],
    ['javascript:alert(1)', 'scheme_not_allowed'],
    ['http://user:secret@example.com/a.jpg', 'credentials_in_url'],
    ['http://user@example.com/a.jpg', 'credentials_in_url'],
    ['http://:secret@example.com/a.jpg', 'credentials_in_url'],
    ['', 'invalid_url'],
    ['a.jpg', 'invalid_url'],
    ['//example.com/a.jpg', 'invalid_url'],
    ['http://', 'invalid_url'],
    ['http://example.com:99999/', 'invalid_url'],
    ['http://exa mple.com/', 'invalid_url'],
    ['http://[fe80::1%25eth0]/', 'invalid_url'],
    ['s3:bucket/a.jpg', 'invalid_url'],
    ['s3://bucket', 'invalid_url'],
    ['s3://bucket/', 'invalid_url'],
    ['s3:///a.jpg', 'invalid_url'],
    ['s3://other-bucket/a.jpg', 'bucket_not_allowed'],
    ['s3://BUCKET/a.jpg', 'bucket_not_allowed'],
    ['s3://bucket@other/a.jpg', 'bucket_not_allowed'],
  ])('%s: %s', async (url, code) => {
    const { lookup, asked } = fakeDns({});
    await using fetcher = createFetcher({ sourceBuckets: ['bucket'], lookup });
    expect(codeOf(await fetcher.fetch(url))).toBe(code);
    expect(asked).toEqual([]);
  });
});

describe('a name is refused when DNS answers with', () => {
  test.each([
    ['a private address', ['10.0.0.7']],
    ['loopback', ['127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['a public address and a private one', ['2d00::1', '127.0.0.1']],
    ['a private address and a public one', ['127.0.0.1', '2d00::1']],
  ])('%s', async (_case, addresses) => {
    const { lookup, asked } = fakeDns({ 'photos.example': [addresses] });
    await using fetcher = createFetcher({ lookup });
    expect(codeOf(await fetcher.fetch(`http://photos.example:${server.port}/by-name.jpg`))).toBe('address_not_allowed');
    expect(asked).toEqual(['photos.example']);
    expect(server.requests('/by-name.jpg')).toBe(0);
  });
});

test('a name that answers public first and private second never gets a connection to the second', async () => {
  const { lookup, asked } = fakeDns({ 'rebind.example': [[PUBLIC_BUT_NOWHERE], ['127.0.0.1']] });
  await using fetcher = createFetcher({ lookup });
  const url = `http://rebind.example:${server.port}/rebound.jpg`;
  // DNS is asked once a connection, and the very answer that was judged is connected to.
  expect(codeOf(await fetcher.fetch(url, SHORT_MS))).toMatch(/^(connection_failed|timeout)$/);
  expect(asked).toEqual(['rebind.example']);
  expect(codeOf(await fetcher.fetch(url))).toBe('address_not_allowed');
  expect(server.requests('/rebound.jpg')).toBe(0);
});

describe('a redirect is checked like any address:', () => {
  test.each([
    ['to loopback', 'http://127.0.0.2:PORT/', 'address_not_allowed'],
    ['to loopback in decimal', 'http://2130706434:PORT/', 'address_not_allowed'],
    ['to the metadata service', 'http://169.254.169.254/latest/meta-data/', 'address_not_allowed'],
    ['to the metadata service in IPv6', 'http://[fd00:ec2::254]/latest/', 'address_not_allowed'],
    ['to the metadata service without a scheme', '//169.254.169.254/latest/', 'address_not_allowed'],
    ['to a name with a private address', 'http://inside.example/', 'address_not_allowed'],
    ['to https on a private address', 'https://10.0.0.1/', 'address_not_allowed'],
    ['to the allowed address under another port', 'http://127.0.0.1:1/', 'address_not_allowed'],
    ['to a file', 'file:///etc/passwd', 'scheme_not_allowed'],
    ['to credentials', 'http://user:secret@127.0.0.1:PORT/', 'credentials_in_url'],
    ['to a bucket', 's3://bucket/a.jpg', 'scheme_not_allowed'],
  ])('%s', async (_case, target, code) => {
    const { lookup } = fakeDns({ 'inside.example': [['192.168.0.1']] });
    await using fetcher = createFetcher({ allowedHosts: [server.host], sourceBuckets: ['bucket'], lookup });
    const url = encodeURIComponent(target.replace('PORT', String(server.port)));
    for (const status of [301, 302, 303, 307, 308]) {
      expect(codeOf(await fetcher.fetch(server.url(`/redirect-to?status=${status}&url=${url}`)))).toBe(code);
    }
  });

  test('after harmless hops', async () => {
    await using fetcher = createFetcher({ allowedHosts: [server.host] });
    const last = `/redirect-to?url=${encodeURIComponent('http://10.0.0.1/')}`;
    const first = `/redirect-to?url=${encodeURIComponent(last)}`;
    expect(codeOf(await fetcher.fetch(server.url(first)))).toBe('address_not_allowed');
  });
});

describe('an allowed host', () => {
  test('is allowed with that port alone', async () => {
    await using other = await startImageServer();
    await using fetcher = createFetcher({ allowedHosts: [server.host] });
    expect(codeOf(await fetcher.fetch(other.url('/photos/coffee.jpg')))).toBe('address_not_allowed');
    expect(other.totalRequests()).toBe(0);
  });

  test('is allowed under that name alone', async () => {
    await using fetcher = createFetcher({ allowedHosts: [`localhost:${server.port}`] });
    expect(codeOf(await fetcher.fetch(server.url('/photos/chelsea.jpg')))).toBe('address_not_allowed');
    expect(codeOf(await fetcher.fetch(`http://localhost:${server.port}/photos/chelsea.jpg`))).toBe('ok');
  });

  test('may be an address in any form that a URL can have', async () => {
    await using fetcher = createFetcher({ allowedHosts: [server.host] });
    expect(codeOf(await fetcher.fetch(`http://0x7f000001:${server.port}/photos/chelsea.jpg`))).toBe('ok');
  });

  test('may be an IPv6 address in brackets', async () => {
    await using six = await startImageServer('::1');
    await using fetcher = createFetcher({ allowedHosts: [six.host] });
    expect(codeOf(await fetcher.fetch(six.url('/photos/chelsea.jpg')))).toBe('ok');
  });

  test('means port 80 for http and 443 for https when the URL names none', async () => {
    const { lookup, asked } = fakeDns({});
    await using fetcher = createFetcher({ allowedHosts: ['10.0.0.1:443', 'inside.example:80'], lookup });
    expect(codeOf(await fetcher.fetch('http://10.0.0.1/'))).toBe('address_not_allowed');
    expect(codeOf(await fetcher.fetch('http://inside.example/'))).toBe('name_not_resolved');
    expect(asked).toEqual(['inside.example']);
  });
});
