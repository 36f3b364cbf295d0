import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { barLine } from '../../cli/terminal/progress.ts';
import { clipToTerminal } from '../../cli/terminal/terminal.ts';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { CTRL_C, startCommandOnTerminal } from '../support/terminal-session.ts';

const [aws] = await sharedByTests(startTestAws());
beforeAll(async () => {
  await describeJob(aws.target, ['a', 'b']);
  await writeParts(aws.target, 'results', [result('a')]);
});

/** What moves the cursor and colours text. */
const CONTROLS = new RegExp(`${'\u001b'}(?:\\[[?\\d;]*[A-Za-z]|[78])`, 'g');

/** The lines that a program drew, each redrawing apart. */
function drawnLines(screen: string): string[] {
  return screen.replace(CONTROLS, '\n').split(/[\r\n]+/);
}

describe.each([
  [80, 80],
  [40, 40],
  [12, 12],
  [0, 80],
])('on a terminal of %d columns, no redrawn line is wider than %d:', (columns, width) => {
  test('progress', async () => {
    const session = startCommandOnTerminal(['wait', 'cats'], { ...aws, columns });
    await session.shows(/settled[^s]*1\/2/);
    const drawn = drawnLines(session.screen());
    session.press(CTRL_C);
    await session.ended;
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThan(width);
  }, 60_000);

  test('status --watch of a job and of the list, each redrawn in place', async () => {
    for (const args of [
      ['status', 'cats', '--watch'],
      ['status', '--watch'],
    ]) {
      const session = startCommandOnTerminal(args, { ...aws, columns });
      // Twice: the second time in the place of the first.
      await session.shows(/job.*\[\d+A.*job/s);
      const drawn = drawnLines(session.screen());
      session.press(CTRL_C);
      expect(await session.ended).toBe(130);
      expect(Math.max(...drawn.map((line) => line.length))).toBeLessThan(width);
    }
  }, 60_000);
});

test('status --watch leaves the complete last state when the job has ended', async () => {
  await describeJob(aws.target, ['a']);
  const session = startCommandOnTerminal(['status', 'cats', '--watch'], { ...aws, columns: 40 });
  expect(await session.ended).toBe(0);
  const [, last = ''] = session.screen().split(/\[\d+A.\[0J/);
  expect(last).toMatch(/all jobs .* in the DLQ/);
}, 60_000);

test('the progress bar fits in any state, with its figures as long as there is room', () => {
  const state = fc.record({
    what: fc.constantFrom('read', 'enqueued', 'labeled'),
    value: fc.nat(10_000_000),
    total: fc.nat(10_000_000),
    note: fc.string({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(state, fc.integer({ min: 2, max: 200 }), (progress, columns) => {
      const line = barLine(progress, columns);
      expect(line.length).toBeLessThan(columns);
      const figures = `${progress.value}/${progress.total}`;
      if (columns > progress.what.length + figures.length + 2) expect(line).toContain(figures);
    }),
  );
});

test('text is cut to the rows and columns of a terminal, between characters', () => {
  expect(clipToTerminal('12345\n🐈🐈🐈🐈\n\nx\n', { columns: 4, rows: 24 })).toBe('123\n🐈🐈🐈\n\nx\n');
  expect(clipToTerminal('1\n2\n3\n', { columns: 80, rows: 3 })).toBe('1\n2\n');
  expect(clipToTerminal('1\n2\n', { columns: 1, rows: 1 })).toBe('1\n');
});
