import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createHostLookup } from '../../shared/classifier/fetch/host-lookup.ts';
import { parseHostsFile } from '../../shared/classifier/fetch/hosts-file.ts';
import { type DnsAnswer, startDnsServer } from '../support/dns-server.ts';
import { rawAnswer, startRawServer } from '../support/raw-server.ts';
import { codeOf, createFetcher } from './fetch-setup.ts';

function lookUp(lookup: LookupFunction, hostname: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, found) => {
      if (error === null) resolve((found as LookupAddress[]).map(({ address }) => address));
      else reject(error);
    });
  });
}

/** Looks a name up on a server that has one answer for all names. */
async function lookUpWhere(answer: DnsAnswer | ((type: 'A' | 'AAAA') => DnsAnswer), hostname = 'photos.example') {
  await using server = await startDnsServer((_name, type) => (typeof answer === 'function' ? answer(type) : answer));
  const names = createHostLookup([server.address]);
  try {
    return { addresses: await lookUp(names.lookup, hostname), asked: server.asked };
  } finally {
    names.close();
  }
}

describe('a host has', () => {
  test('all its addresses, IPv4 first', async () => {
    const { addresses } = await lookUpWhere(['2d00::1', '203.0.113.7', '203.0.113.8']);
    expect(addresses).toEqual(['203.0.113.7', '203.0.113.8', '2d00::1']);
  });

  test('the addresses of one family when it has none of the other', async () => {
    expect((await lookUpWhere(['2d00::1'])).addresses).toEqual(['2d00::1']);
  });

  test('the addresses of one family when the server does not answer for the other', async () => {
    const { addresses } = await lookUpWhere((type) => (type === 'A' ? ['203.0.113.7'] : 'silence'));
    expect(addresses).toEqual(['203.0.113.7']);
  });

  test.each(['localhost', 'LOCALHOST', 'localhost.', 'photos.localhost'])(
    'loopback and no question to DNS when it is %s',
    async (hostname) => {
      expect(await lookUpWhere(['203.0.113.7'], hostname)).toEqual({ addresses: ['127.0.0.1', '::1'], asked: [] });
    },
  );
});

describe('a host is name_not_resolved when DNS', () => {
  test.each<[what: string, answer: DnsAnswer, message: RegExp]>([
    ['does not know it', 'unknown', /got ENOTFOUND/],
    ['has no address for it', 'none', /got ENODATA/],
    ['fails', 'failure', /got ESERVFAIL/],
    ['is silent', 'silence', /expected DNS to respond within 5 s/],
  ])(
    '%s',
    async (_what, answer, message) => {
      await using server = await startDnsServer(() => answer);
      await using fetcher = createFetcher({ nameServers: [server.address] });
      const outcome = await fetcher.fetch('http://photos.example/a.jpg', 30_000);
      expect(codeOf(outcome)).toBe('name_not_resolved');
      expect(outcome).toHaveProperty('message', expect.stringMatching(message));
    },
    30_000,
  );
});

test('a name is resolved once, however many images need it', async () => {
  await using server = await startDnsServer(() => ['203.0.113.7']);
  const names = createHostLookup([server.address]);
  await Promise.all(Array.from({ length: 20 }, () => lookUp(names.lookup, 'photos.example')));
  await lookUp(names.lookup, 'photos.example');
  expect(server.asked.toSorted()).toEqual(['A photos.example', 'AAAA photos.example']);
  names.close();
});

test('the name servers are those of the process unless others are named', async () => {
  await using server = await startDnsServer(() => ['203.0.113.7']);
  const before = dns.getServers();
  dns.setServers([server.address]);
  const names = createHostLookup();
  dns.setServers(before);
  expect(await lookUp(names.lookup, 'photos.example')).toEqual(['203.0.113.7']);
  names.close();
});

test('a name with a private address is not connected to, whatever other addresses it has', async () => {
  await using server = await startDnsServer(() => ['203.0.113.7', '127.0.0.1']);
  await using fetcher = createFetcher({ nameServers: [server.address] });
  expect(codeOf(await fetcher.fetch('http://photos.example/a.jpg'))).toBe('address_not_allowed');
});

test('names without an answer delay no other', async () => {
  await using dns = await startDnsServer((name) => (name.startsWith('silent') ? 'silence' : ['127.0.0.1']));
  await using photos = await startRawServer(() => rawAnswer('bytes'));
  const healthy = Array.from({ length: 20 }, (_, index) => `healthy${index}.example:${photos.port}`);
  await using fetcher = createFetcher({ allowedHosts: healthy, nameServers: [dns.address] });
  let silentSettled = 0;
  const silent = Array.from({ length: 100 }, async (_, index) => {
    const code = codeOf(await fetcher.fetch(`http://silent${index}.example/a.jpg`, 30_000));
    silentSettled++;
    return code;
  });
  const bodies = await Promise.all(healthy.map((host) => fetcher.fetch(`http://${host}/a.jpg`)));
  expect(bodies.map(String)).toEqual(healthy.map(() => 'bytes'));
  expect(silentSettled).toBe(0);
  expect(new Set(await Promise.all(silent))).toEqual(new Set(['name_not_resolved']));
}, 60_000);

test('an allowed host that is not in DNS may be in the hosts file', async () => {
  await using server = await startDnsServer(() => 'unknown');
  const names = createHostLookup([server.address]);
  // The system takes addresses for names, which DNS does not.
  await expect(lookUp(names.lookup, '127.1')).rejects.toThrow('expected DNS to have an address');
  expect(await lookUp(names.trustedLookup, '127.1')).toEqual(['127.0.0.1']);
  names.close();
});

test('a hosts file is read as hosts(5) has it', () => {
  const names = parseHostsFile(
    '# 1.1.1.1 no\n127.0.0.1\tlocalhost Photos.Example # note\r\n::1 photos.example\nrubbish\n\n',
  );
  expect([...names]).toEqual([
    ['localhost', [{ address: '127.0.0.1', family: 4 }]],
    [
      'photos.example',
      [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    ],
  ]);
});
