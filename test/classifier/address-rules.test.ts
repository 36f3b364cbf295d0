import { describe, expect, test } from '@jest/globals';
import { isPublicAddress, literalAddress } from '../../shared/classifier/fetch/address-rules.ts';
import { REFUSED_HOSTS } from './refused-hosts.ts';

const ALLOWED = [
  '8.8.8.8',
  '1.1.1.1',
  '134744072',
  '0x08.0x08.0x08.0x08',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '[2606:4700:4700::1111]',
  '[2a00:1450:4001:81b::200e]',
];

/** The host as the fetcher sees it. */
function hostnameOf(host: string): string {
  return new URL(`http://${host}/a.jpg`).hostname;
}

for (const [kind, hosts] of Object.entries(REFUSED_HOSTS)) {
  describe(`refuses ${kind}`, () => {
    test.each(hosts)('http://%s/', (host) => {
      const address = literalAddress(hostnameOf(host));
      expect(address).toBeDefined();
      expect(isPublicAddress(String(address))).toBe(false);
    });
  });
}

test('more than 60 forms are refused', () => {
  expect(new Set(Object.values(REFUSED_HOSTS).flat()).size).toBeGreaterThan(60);
});

describe('allows public unicast, even next to refused ranges', () => {
  test.each(ALLOWED)('http://%s/', (host) => {
    const address = literalAddress(hostnameOf(host));
    expect(address).toBeDefined();
    expect(isPublicAddress(String(address))).toBe(true);
  });
});

describe('treats as a name, for DNS to resolve,', () => {
  test.each(['localhost', 'localhost.', 'example.com', '127.0.0.1.nip.io', 'metadata.google.internal', '0x7g.example'])(
    '%s',
    (name) => expect(literalAddress(hostnameOf(name))).toBeUndefined(),
  );
});

describe('cannot be part of a URL:', () => {
  test.each([
    '127.0.0.256',
    '1.2.3.4.5',
    '0x7f.0.0.0.1',
    '[::1',
    '[fe80::1%25eth0]',
    '[::ffff:127.0.0.256]',
    '08.0.0.1',
  ])('http://%s/', (host) => expect(URL.canParse(`http://${host}/`)).toBe(false));
});

describe('refuses what is not an address', () => {
  test.each(['', 'localhost', 'example.com', 'fe80::1%eth0', '::1%lo', '127.0.0.1:80', '[::1]'])('%j', (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });
});
