import { describe, expect, test } from '@jest/globals';
import { HostHealth } from '../../shared/classifier/fetch/host-health.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import {
  MAX_FETCHES_PER_HOST,
  MAX_REMEMBERED_HOSTS,
  REST_IN_FETCH_TIMEOUTS,
  SILENT_FETCHES_AFTER_ANSWERS,
  SILENT_FETCHES_BEFORE_REST,
  SLOW_FAILURE_MS,
} from '../../shared/contract/limits.ts';

const HOST = 'host.example';
const FETCH_TIMEOUT_MS = 10_000;
const REST_MS = FETCH_TIMEOUT_MS * REST_IN_FETCH_TIMEOUTS;
const IMAGE = Buffer.from('an image');

function failure(code: ErrorCode): ImageFailure {
  return new ImageFailure(code, 'expected another outcome');
}

/** What is known of hosts, on a clock that stands still unless it is moved. */
function watch() {
  const clock = { now: 1_000_000 };
  const health = new HostHealth(FETCH_TIMEOUT_MS, () => clock.now);
  const timeouts = (times: number, host = HOST) => {
    for (let time = 0; time < times; time++) health.saw(host, failure('timeout'), FETCH_TIMEOUT_MS);
  };
  return { clock, health, timeouts };
}

test('a host is unknown until it answers', () => {
  const { health } = watch();
  expect(health.standingOf(HOST)).toBe('unknown');
  health.saw(HOST, IMAGE, 100);
  expect(health.standingOf(HOST)).toBe('answers');
});

test('a host that never answered is suspect, and rests after three silent fetches in a row', () => {
  const { health, timeouts } = watch();
  timeouts(1);
  expect(health.standingOf(HOST)).toBe('suspect');
  timeouts(SILENT_FETCHES_BEFORE_REST - 1);
  expect(health.standingOf(HOST)).toBe('resting');
  expect(health.putOff(HOST)).toMatchObject({ reason: 'host_rests', seconds: REST_MS / 1_000 });
});

test('a host that never answered gets fewer fetches at once; one that has answered does not', () => {
  const { health, timeouts } = watch();
  health.saw('answers.example', IMAGE, 100);
  timeouts(1);
  timeouts(1, 'answers.example');
  expect(health.fetchesAtOnce(HOST)).toBe(SILENT_FETCHES_BEFORE_REST);
  expect(health.fetchesAtOnce('answers.example')).toBe(MAX_FETCHES_PER_HOST);
});

test('a host that answers sometimes never rests', () => {
  const { health, timeouts } = watch();
  for (let round = 0; round < 10; round++) {
    timeouts(SILENT_FETCHES_BEFORE_REST - 1);
    health.saw(HOST, IMAGE, 100);
    expect(health.standingOf(HOST)).toBe('answers');
  }
});

test('after its rest, a host gets one fetch: silence makes it rest again, an answer makes it healthy', () => {
  const { clock, health, timeouts } = watch();
  timeouts(SILENT_FETCHES_BEFORE_REST);
  clock.now += REST_MS;
  expect([health.standingOf(HOST), health.fetchesAtOnce(HOST)]).toEqual(['suspect', 1]);
  timeouts(1);
  expect(health.standingOf(HOST)).toBe('resting');
  clock.now += REST_MS;
  health.saw(HOST, IMAGE, 100);
  expect([health.standingOf(HOST), health.fetchesAtOnce(HOST)]).toEqual(['answers', MAX_FETCHES_PER_HOST]);
});

test('a host that has answered rests after sixteen silent fetches in a row: some of its URLs may hang', () => {
  const { health, timeouts } = watch();
  health.saw(HOST, IMAGE, 100);
  timeouts(SILENT_FETCHES_AFTER_ANSWERS - 1);
  expect(health.standingOf(HOST)).toBe('answers');
  timeouts(1);
  expect(health.standingOf(HOST)).toBe('resting');
});

test.each([
  ['has only been silent', false],
  ['has answered before', true],
])(
  'for an image that cannot be deferred again, the rest of a host that %s ends, until three fetches are silent again',
  (_what, answered) => {
    const { health, timeouts } = watch();
    if (answered) health.saw(HOST, IMAGE, 100);
    health.giveAnotherChance(HOST);
    timeouts(SILENT_FETCHES_AFTER_ANSWERS);
    expect(health.standingOf(HOST)).toBe('resting');
    health.giveAnotherChance(HOST);
    expect(health.standingOf(HOST)).not.toBe('resting');
    timeouts(SILENT_FETCHES_BEFORE_REST - 1);
    expect(health.standingOf(HOST)).not.toBe('resting');
    timeouts(1);
    expect(health.standingOf(HOST)).toBe('resting');
  },
);

describe('what counts as', () => {
  test.each<[ErrorCode, number, string]>([
    ['timeout', 10, 'resting'],
    ['connection_failed', SLOW_FAILURE_MS, 'resting'],
    ['name_not_resolved', SLOW_FAILURE_MS, 'resting'],
    ['server_error', SLOW_FAILURE_MS, 'resting'],
    ['connection_failed', 10, 'unknown'],
    ['server_error', 10, 'answers'],
    ['rate_limited', 10, 'answers'],
    ['not_found', SLOW_FAILURE_MS, 'answers'],
  ])(
    'silence and what as an answer: %s after %d ms, three times, makes the host %s',
    (code, milliseconds, standing) => {
      const { health } = watch();
      for (let time = 0; time < SILENT_FETCHES_BEFORE_REST; time++) health.saw(HOST, failure(code), milliseconds);
      expect(health.standingOf(HOST)).toBe(standing);
    },
  );

  test('an answer: an image, however long it takes', () => {
    const { health } = watch();
    for (let time = 0; time < 10; time++) health.saw(HOST, IMAGE, FETCH_TIMEOUT_MS - 1);
    expect(health.standingOf(HOST)).toBe('answers');
  });
});

test('hosts have nothing to do with each other, whatever their names', () => {
  const { health, timeouts } = watch();
  timeouts(SILENT_FETCHES_BEFORE_REST, '__proto__');
  expect(['__proto__', 'constructor', HOST].map((host) => health.standingOf(host))).toEqual([
    'resting',
    'unknown',
    'unknown',
  ]);
});

test('of too many hosts, the most recently used are remembered', () => {
  const { health, timeouts } = watch();
  for (let host = 0; host < MAX_REMEMBERED_HOSTS * 2; host++) timeouts(1, `host-${host}`);
  expect(health.standingOf('host-0')).toBe('unknown');
  expect(health.standingOf(`host-${MAX_REMEMBERED_HOSTS * 2 - MAX_REMEMBERED_HOSTS / 4}`)).toBe('suspect');
});

test('without a fetch timeout no host ever rests', () => {
  const health = new HostHealth();
  for (let time = 0; time < 10; time++) health.saw(HOST, failure('timeout'), FETCH_TIMEOUT_MS);
  expect([health.standingOf(HOST), health.fetchesAtOnce(HOST)]).toEqual(['suspect', MAX_FETCHES_PER_HOST]);
});
