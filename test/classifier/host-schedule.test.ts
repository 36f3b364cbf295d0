import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { HostSchedule, type Taken } from '../../shared/classifier/fetch/host-schedule.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import {
  IMAGES_IN_FLIGHT,
  MAX_FETCHES_PER_HOST,
  MIN_UNPROVEN_FETCHES,
  SILENT_FETCHES_BEFORE_REST,
  SUSPECT_FETCHES,
} from '../../shared/contract/limits.ts';
import { hostOf } from '../../shared/contract/urls.ts';
import { seed } from '../contract/seed.ts';

const FETCH_TIMEOUT_MS = 10_000;
const TIMEOUT = new ImageFailure('timeout', 'expected the whole image within 10 s');
const hostOfItem = (item: string) => item.split('/')[0] ?? '';

/** Items are written `host/number`, or `host/number/group`. */
function scheduleOf(
  items: readonly string[],
  health: HostHealth = new HostHealth(FETCH_TIMEOUT_MS),
): HostSchedule<string> {
  return new HostSchedule(items, { hostOf: hostOfItem, groupOf: (item) => item.split('/')[2] ?? '' }, health);
}

/** Hosts that have answered or been silent before, so often. */
function healthOf({ answers = [], silent = {} }: { answers?: string[]; silent?: Record<string, number> }): HostHealth {
  const health = new HostHealth(FETCH_TIMEOUT_MS);
  for (const host of answers) health.saw(host, Buffer.alloc(1), 10);
  for (const [host, times] of Object.entries(silent)) {
    for (let time = 0; time < times; time++) health.saw(host, TIMEOUT, FETCH_TIMEOUT_MS);
  }
  return health;
}

/** One image on each of so many hosts. */
function hosts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}/0`);
}

function itemsOf(host: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${host}/${index}`);
}

function takeSome(schedule: HostSchedule<string>, most = Number.POSITIVE_INFINITY): Taken<string>[] {
  const taken: Taken<string>[] = [];
  for (let next = schedule.take(); next !== undefined; next = schedule.take()) {
    taken.push(next);
    if (taken.length === most) break;
  }
  return taken;
}

function takeAll(schedule: HostSchedule<string>): string[] {
  return takeSome(schedule).map(({ item }) => item);
}

test('hosts take turns, whatever the order in which their images came', () => {
  const taken = takeAll(scheduleOf([...itemsOf('a', 3), ...itemsOf('b', 2), ...itemsOf('c', 1)]));
  const rounds = [taken.slice(0, 3), taken.slice(3, 5), taken.slice(5)];
  expect(rounds.map((round) => round.sort())).toEqual([['a/0', 'b/0', 'c/0'], ['a/1', 'b/1'], ['a/2']]);
});

test('one host gets no more than eight at once', () => {
  const schedule = scheduleOf(itemsOf('a', 20));
  const taken = takeSome(schedule);
  expect(taken).toHaveLength(MAX_FETCHES_PER_HOST);
  for (const one of taken.slice(0, 2)) schedule.release(one);
  expect(takeAll(schedule)).toEqual(['a/8', 'a/9']);
});

test('a busy host delays no other', () => {
  const schedule = scheduleOf([...itemsOf('slow', 100), ...itemsOf('b', 1), ...itemsOf('c', 9)]);
  const taken = takeAll(schedule);
  expect(taken.filter((item) => item.startsWith('slow'))).toHaveLength(8);
  expect(taken).toContain('b/0');
  expect(taken.filter((item) => item.startsWith('c'))).toHaveLength(8);
});

test('a fetch that ends makes room for the next of its own group, however many hosts the other has', () => {
  const items = [...hosts('many', 100).map((item) => `${item}/a`), ...itemsOf('one', 24).map((item) => `${item}/b`)];
  const schedule = scheduleOf(items);
  const isOne = ({ host }: Taken<string>) => host === 'one';
  let underWay = takeSome(schedule, IMAGES_IN_FLIGHT);
  // Each of the other group hangs for ever.
  for (let round = 1; round < 3; round++) {
    const fetched = underWay.filter(isOne);
    for (const one of fetched) schedule.release(one);
    underWay = takeSome(schedule, fetched.length);
    expect(underWay.filter(isOne)).toHaveLength(MAX_FETCHES_PER_HOST);
  }
});

test('groups take turns before hosts do: a job with many hosts does not delay one with few', () => {
  const schedule = scheduleOf([...hosts('many', 100).map((item) => `${item}/a`), 'one/0/b', 'one/1/b', 'one/2/b']);
  const first = Array.from({ length: 6 }, () => schedule.take()?.item);
  expect(first.filter((item) => item?.endsWith('/b'))).toEqual(['one/0/b', 'one/1/b', 'one/2/b']);
});

test('a host that several groups have images of gets no more than eight at once of all of them', () => {
  const schedule = scheduleOf(['x', 'y', 'z'].flatMap((group) => itemsOf('a', 6).map((item) => `${item}/${group}`)));
  const taken = takeSome(schedule);
  expect(taken).toHaveLength(MAX_FETCHES_PER_HOST);
  for (const one of taken) schedule.release(one);
  expect(takeAll(schedule)).toHaveLength(MAX_FETCHES_PER_HOST);
});

describe('hosts that do not answer:', () => {
  test('without any silence so far, unknown hosts get all fetch slots', () => {
    const schedule = scheduleOf(hosts('new', 100), healthOf({ answers: ['good'] }));
    expect(takeSome(schedule, IMAGES_IN_FLIGHT)).toHaveLength(IMAGES_IN_FLIGHT);
  });

  test('the more hosts are silent, the fewer fetch slots unknown hosts get beside one that answers', () => {
    const silent = Object.fromEntries(hosts('silent', 9).map((item) => [hostOfItem(item), 1]));
    const items = [...hosts('silent', 9), ...hosts('new', 100), ...itemsOf('good', 100)];
    const taken = takeAll(scheduleOf(items, healthOf({ answers: ['good'], silent })));
    expect(taken.filter((item) => item.startsWith('good'))).toHaveLength(MAX_FETCHES_PER_HOST);
    expect(taken).toHaveLength(MAX_FETCHES_PER_HOST + MIN_UNPROVEN_FETCHES);
  });

  test('suspect hosts get a few fetch slots while others wait, and all of them when nothing else is left', () => {
    const silent = Object.fromEntries(hosts('silent', 60).map((item) => [hostOfItem(item), 1]));
    const schedule = scheduleOf([...hosts('silent', 60), ...hosts('new', 50)], healthOf({ silent }));
    const isSilent = ({ host }: Taken<string>) => host.startsWith('silent');
    const taken = takeSome(schedule, IMAGES_IN_FLIGHT);
    expect(taken.filter(isSilent)).toHaveLength(SUSPECT_FETCHES);
    for (const one of taken) schedule.release(one);
    expect(takeSome(schedule, IMAGES_IN_FLIGHT).filter(isSilent).length).toBeGreaterThan(SUSPECT_FETCHES);
  });

  test('a fetch that yields its slot makes room for others, and not for more of its own host', () => {
    const schedule = scheduleOf([...itemsOf('slow', 20), ...itemsOf('other', 1)]);
    const slow = takeSome(schedule).filter(({ host }) => host === 'slow');
    expect(slow).toHaveLength(MAX_FETCHES_PER_HOST);
    for (const one of slow) {
      expect(schedule.mayStepAside(one)).toBe(true);
      schedule.stepAside(one);
    }
    expect(schedule.take()).toBeUndefined();
    for (const one of slow) schedule.release(one);
    expect(takeSome(schedule)).toHaveLength(MAX_FETCHES_PER_HOST);
  });

  test('fetches that yielded their slots count in the share of their job', () => {
    const items = [...hosts('hang', 60).map((item) => `${item}/a`), ...hosts('good', 60).map((item) => `${item}/b`)];
    const schedule = scheduleOf(items);
    const hanging = takeSome(schedule, 20).filter(({ host }) => host.startsWith('hang'));
    expect(hanging).toHaveLength(10);
    const jobsOf = (count: number) => takeSome(schedule, count).map(({ host }) => host.replace(/\d+$/, ''));
    for (const one of hanging) schedule.stepAside(one);
    expect(jobsOf(2).toSorted()).toEqual(['good', 'hang']);
    for (const one of hanging) schedule.release(one);
    expect(jobsOf(10)).toEqual(Array(10).fill('hang'));
  });

  test('fetches of a host that never answered do not yield: it gets few slots anyway', () => {
    const schedule = scheduleOf(itemsOf('silent', 2), healthOf({ silent: { silent: 1 } }));
    expect(takeSome(schedule).map((one) => schedule.mayStepAside(one))).toEqual([false, false]);
  });

  test('a host that finally answers gets its eight slots', () => {
    const health = healthOf({ silent: { late: SILENT_FETCHES_BEFORE_REST - 1 } });
    const schedule = scheduleOf([...itemsOf('late', 20), ...hosts('new', 60)], health);
    const taken = takeSome(schedule);
    health.saw('late', Buffer.alloc(1), 10);
    schedule.release(taken.find(({ host }) => host === 'late') as Taken<string>);
    expect(schedule.take()?.host).toBe('late');
  });

  test('when a host begins to rest, its images, and no others, are returned in order', () => {
    const health = new HostHealth(FETCH_TIMEOUT_MS);
    const schedule = scheduleOf([...itemsOf('dead', 20), ...itemsOf('good', 2)], health);
    const taken = takeSome(schedule);
    expect(taken).toHaveLength(MAX_FETCHES_PER_HOST + 2);
    const withdrawn = taken
      .filter(({ host }) => host === 'dead')
      .map((one) => {
        health.saw('dead', TIMEOUT, FETCH_TIMEOUT_MS);
        return schedule.release(one);
      });
    const none = Array(MAX_FETCHES_PER_HOST - 1).fill([]);
    expect(withdrawn).toEqual(
      none.toSpliced(SILENT_FETCHES_BEFORE_REST - 1, 0, itemsOf('dead', 20).slice(MAX_FETCHES_PER_HOST)),
    );
    expect(schedule.take()).toBeUndefined();
    expect(schedule.rest()).toEqual([]);
  });

  test('images of resting hosts are withdrawn before the start', () => {
    const health = healthOf({ silent: { dead: SILENT_FETCHES_BEFORE_REST } });
    const schedule = scheduleOf([...itemsOf('dead', 3), ...itemsOf('good', 1)], health);
    expect(schedule.withdrawResting()).toEqual(itemsOf('dead', 3));
    expect(takeAll(schedule)).toEqual(['good/0']);
  });
});

test.each<[what: string, (index: number) => string]>([
  ['on as many hosts', (index) => `host-${index}/0`],
  ['on one host', (index) => `host/${index}`],
  ['on hosts most of which are busy', (index) => `host-${index % 20}/${index}`],
])('ten times the images %s take far less than a hundred times the time', (_what, itemAt) => {
  const timeFor = (count: number) => {
    const items = Array.from({ length: count }, (_, index) => itemAt(index));
    const started = performance.now();
    const health = new HostHealth(FETCH_TIMEOUT_MS);
    const schedule = scheduleOf(items, health);
    const active: Taken<string>[] = [];
    for (let done = 0; done < count; ) {
      const next = active.length < IMAGES_IN_FLIGHT ? schedule.take() : undefined;
      if (next !== undefined) active.push(next);
      else {
        const fetched = active.shift() as Taken<string>;
        health.saw(fetched.host, Buffer.alloc(1), 10);
        schedule.release(fetched);
        done++;
      }
    }
    return performance.now() - started;
  };
  timeFor(10_000);
  const best = (count: number) => Math.min(...Array.from({ length: 5 }, () => timeFor(count)));
  expect(best(100_000) / best(10_000)).toBeLessThan(80);
});

test('images that were never handed out are left over', () => {
  const schedule = scheduleOf([...itemsOf('a', 10), ...itemsOf('b', 1)]);
  takeAll(schedule);
  expect(schedule.rest().sort()).toEqual(['a/8', 'a/9']);
});

test('without images, none is handed out', () => {
  const schedule = scheduleOf([]);
  expect(schedule.take()).toBeUndefined();
  expect(schedule.rest()).toEqual([]);
});

/** Takes and releases as told, then until nothing is left; gives what was taken, in order. */
function play(items: readonly string[], releases: readonly boolean[]): string[] {
  const schedule = scheduleOf(items);
  const active: Taken<string>[] = [];
  const taken: string[] = [];
  const step = (release: boolean) => {
    const next = release && active.length > 0 ? undefined : schedule.take();
    if (next === undefined) {
      const fetched = active.shift();
      if (fetched !== undefined) schedule.release(fetched);
      return;
    }
    taken.push(next.item);
    active.push(next);
    expect(active.filter(({ host }) => host === next.host).length).toBeLessThanOrEqual(MAX_FETCHES_PER_HOST);
  };
  for (const release of releases) step(release);
  while (active.length > 0 || schedule.rest().length > 0) step(false);
  return taken;
}

test('each image is handed out exactly once, those of a host in order, at most eight per host at once', () => {
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
