import { expect, test } from '@jest/globals';
import { StageTimes } from '../../local/stage-times.ts';

const line = (metrics: object) => JSON.stringify({ _aws: {}, service: 'classify', ...metrics });

test('times are read from metrics, single ones and lists', () => {
  const stages = new StageTimes();
  stages.add(line({ FetchTime: Array.from({ length: 99 }, (_, index) => index + 1) }));
  stages.add(line({ FetchTime: 100 }));
  expect(stages.all()).toEqual([{ stage: 'fetch', p50Ms: 51, p95Ms: 96, p99Ms: 100, measuredImages: 100 }]);
});

test('other lines and interleaved lines are ignored', () => {
  const stages = new StageTimes();
  stages.add('{"message":"invocation","FetchTime":5}');
  stages.add('{"_aws":{},"FetchTime":[1,2{"_aws":{}}');
  stages.add('no JSON "_aws"');
  stages.add(line({ FetchTime: ['7', null], DecodeTime: [3] }));
  expect(stages.all()).toEqual([{ stage: 'decode', p50Ms: 3, p95Ms: 3, p99Ms: 3, measuredImages: 1 }]);
});

test('only the last images count', () => {
  const stages = new StageTimes();
  for (let index = 0; index < 100; index++) stages.add(line({ InferenceTime: new Array(100).fill(index) }));
  const [{ p50Ms = 0, measuredImages = 0 } = {}] = stages.all();
  expect(measuredImages).toBe(5_000);
  expect(p50Ms).toBe(75);
});
