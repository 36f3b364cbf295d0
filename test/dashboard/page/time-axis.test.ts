import { describe, expect, test } from '@jest/globals';
import { bucketText, roundTimes, timeText } from '../../../dashboard/page/time-axis.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** In the time zone of this machine, whichever it is. */
function at(hour: number, minute = 0, second = 0): number {
  return new Date(2026, 10, 26, hour, minute, second).getTime();
}

describe('the times under a chart', () => {
  test.each([
    ['15 minutes', at(10, 1), 15 * MINUTE, 8, ['10:02', '10:04', '10:06', '10:08', '10:10', '10:12', '10:14', '10:16']],
    ['an hour', at(10, 7), HOUR, 5, ['10:15', '10:30', '10:45', '11:00']],
    ['a day', at(0, 30), 24 * HOUR, 6, ['06:00', '12:00', '18:00', 'Fri 27']],
    ['a minute', at(10, 0, 3), MINUTE, 2, ['10:00:30', '10:01:00']],
  ])('are round for %s, and fit the width', (_name, from, length, most, expected) => {
    const times = roundTimes(from, from + length, most);
    expect(times.map((time) => timeText(time, length))).toEqual(expected);
  });

  test('are within the range of the chart', () => {
    const [from, to] = [at(3, 3, 3), at(4, 4, 4)];
    const times = roundTimes(from, to, 5);
    expect(times.length).toBeGreaterThan(1);
    expect(times.every((time) => time >= from && time <= to)).toBe(true);
  });
});

test('a bucket shows the times of its start and end', () => {
  expect(bucketText(at(10, 15), 10)).toBe('26 Nov, 10:15:00 to 10:15:10');
  expect(bucketText(at(10, 15), 300)).toBe('26 Nov, 10:15 to 10:20');
});
