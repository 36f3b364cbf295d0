import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HostSchedule } from '../../shared/classifier/host-schedule.ts';
import { MAX_FETCHES_PER_HOST } from '../../shared/contract/limits.ts';
import { hostOf } from '../../shared/contract/url-host.ts';
import { seed } from '../contract/seed.ts';

/** Items are written `host/number`. */
function scheduleOf(items: readonly string[]): HostSchedule<string> {
  return new HostSchedule(items, (item) => item.split('/')[0] ?? '');
}

function itemsOf(host: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${host}/${index}`);
}

function takeAll(schedule: HostSchedule<string>): string[] {
  const taken: string[] = [];
  for (let next = schedule.take(); next !== undefined; next = schedule.take()) taken.push(next.item);
  return taken;
}

test('hosts take turns, whatever the order in which their images came', () => {
  const taken = takeAll(scheduleOf([...itemsOf('a', 3), ...itemsOf('b', 2), ...itemsOf('c', 1)]));
  const rounds = [taken.slice(0, 3), taken.slice(3, 5), taken.slice(5)];
  expect(rounds.map((round) => round.sort())).toEqual([['a/0', 'b/0', 'c/0'], ['a/1', 'b/1'], ['a/2']]);
});

test('one host gets no more than eight at once', () => {
  const schedule = scheduleOf(itemsOf('a', 20));
  expect(takeAll(schedule)).toHaveLength(MAX_FETCHES_PER_HOST);
  schedule.release('a');
  schedule.release('a');
  expect(takeAll(schedule)).toEqual(['a/8', 'a/9']);
});

test('a host that is busy holds up nobody else', () => {
  const schedule = scheduleOf([...itemsOf('slow', 100), ...itemsOf('b', 1), ...itemsOf('c', 9)]);
  const taken = takeAll(schedule);
  expect(taken.filter((item) => item.startsWith('slow'))).toHaveLength(8);
  expect(taken).toContain('b/0');
  expect(taken.filter((item) => item.startsWith('c'))).toHaveLength(8);
});

test('what was never given out is left over', () => {
  const schedule = scheduleOf([...itemsOf('a', 10), ...itemsOf('b', 1)]);
  takeAll(schedule);
  expect(schedule.rest().sort()).toEqual(['a/8', 'a/9']);
});

test('of no images none is given out', () => {
  const schedule = scheduleOf([]);
  expect(schedule.take()).toBeUndefined();
  expect(schedule.rest()).toEqual([]);
});

/** Takes and releases as told, then until nothing is left; gives what was taken, in order. */
function play(items: readonly string[], releases: readonly boolean[]): string[] {
  const schedule = scheduleOf(items);
  const active: string[] = [];
  const taken: string[] = [];
  const step = (release: boolean) => {
    const next = release && active.length > 0 ? undefined : schedule.take();
    if (next === undefined) {
      const host = active.shift();
      if (host !== undefined) schedule.release(host);
      return;
    }
    taken.push(next.item);
    active.push(next.host);
    expect(active.filter((host) => host === next.host).length).toBeLessThanOrEqual(MAX_FETCHES_PER_HOST);
  };
  for (const release of releases) step(release);
  while (active.length > 0 || schedule.rest().length > 0) step(false);
  return taken;
}

test('each image is given out exactly once, those of a host in order, never more than eight of it at once', () => {
  const hosts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 120 });
  fc.assert(
    fc.property(hosts, fc.array(fc.boolean(), { maxLength: 200 }), (owners, releases) => {
      const items = owners.map((host, index) => `${host}/${index}`);
      const taken = play(items, releases);
      for (const host of new Set(owners)) {
        const ofHost = (item: string) => item.startsWith(`${host}/`);
        expect(taken.filter(ofHost)).toEqual(items.filter(ofHost));
      }
      expect(taken).toHaveLength(items.length);
    }),
    { seed },
  );
});

describe('the host of', () => {
  test.each([
    ['https://EXAMPLE.com/a.jpg', 'example.com'],
    ['http://example.com:8080/a.jpg', 'example.com:8080'],
    ['http://example.com:80/a.jpg', 'example.com'],
    ['http://2130706433/a.jpg', '127.0.0.1'],
    ['s3://bucket/a.jpg', 'bucket'],
    ['not a URL', 'not a URL'],
  ])('%s is %s', (url, host) => expect(hostOf(url)).toBe(host));
});
