import { expect, test } from '@jest/globals';
import { workSettingsFrom } from '../../worker/work-settings.ts';

const QUEUES = {
  QUEUE_URL: 'http://127.0.0.1:1/000000000000/queue',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:1/000000000000/dead',
  RESULTS_BUCKET: 'results',
};

test.each(['c7a.xlarge', 'm7i-flex.2xlarge', 'c7i.metal-24xl', 'own'])('a worker may run on %s', (machine) => {
  expect(workSettingsFrom({ ...QUEUES, WORK_MACHINE: machine }).machine).toBe(machine);
});

test("a worker runs on a machine of one's own unless a setting says otherwise", () => {
  expect(workSettingsFrom(QUEUES).machine).toBe('own');
  expect(workSettingsFrom({ ...QUEUES, WORK_MACHINE: '' }).machine).toBe('own');
});

test.each(['c7a', 'laptop', 'C7A.XLARGE', 'c7a.xlarge\n', `${'c'.repeat(99)}.xlarge`])(
  'a machine is not %j',
  (machine) => {
    expect(() => workSettingsFrom({ ...QUEUES, WORK_MACHINE: machine })).toThrow(
      `WORK_MACHINE=${JSON.stringify(machine)}: expected an EC2 instance type, such as c7a.xlarge, or own`,
    );
  },
);
