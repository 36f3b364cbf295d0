import { expect, test } from '@jest/globals';
import { StageTimes } from '../../local/stage-times.ts';

const line = (metrics: object) => `${JSON.stringify({ _aws: {}, service: 'classify', ...metrics })}\n`;

test('times are read from metrics, single ones and lists, in pieces of any length', () => {
  const stages = new StageTimes();
  const text = line({ FetchTime: Array.from({ length: 99 }, (_, index) => index + 1) }) + line({ FetchTime: 100 });
  for (const character of text) stages.read(character);
  expect(stages.all()).toEqual([{ stage: 'fetch', p50Ms: 51, p95Ms: 96, p99Ms: 100, measuredImages: 100 }]);
});

test('other lines, and lines that were written into each other, are left out', () => {
  const stages = new StageTimes();
  stages.read('{"message":"invocation","FetchTime":5}\n{"_aws":{},"FetchTime":[1,2{"_aws":{}}\nno JSON "_aws"\n');
  stages.read(line({ FetchTime: ['7', null], DecodeTime: [3] }));
  expect(stages.all()).toEqual([{ stage: 'decode', p50Ms: 3, p95Ms: 3, p99Ms: 3, measuredImages: 1 }]);
});

test('those of the last images count', () => {
  const stages = new StageTimes();
  for (let index = 0; index < 100; index++) stages.read(line({ InferenceTime: new Array(100).fill(index) }));
  const [{ p50Ms = 0, measuredImages = 0 } = {}] = stages.all();
  expect(measuredImages).toBe(5_000);
  expect(p50Ms).toBe(75);
});

test('a text without an end is not kept', () => {
  const stages = new StageTimes();
  for (let index = 0; index < 30; index++) stages.read('x'.repeat(100_000));
  stages.read(`\n${line({ DecodeTime: 9 })}`);
  expect(stages.all()).toHaveLength(1);
});
