import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import { WorkLoop } from '../../worker/work-loop.ts';
import { WorkMetrics } from '../../worker/work-metrics.ts';
import { parsePrometheus } from '../support/prometheus-text.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

test('the page describes each metric of the loop, with its type and its labels', async () => {
  const environment = new ExecutionEnvironment({ handlerPath: '', timeoutSeconds: 1, environment: {}, onLog() {} });
  const sqs = new SQSClient({ region: 'us-east-1' });
  const loop = new WorkLoop({
    sqs,
    queueUrl: 'http://127.0.0.1/q',
    visibilitySeconds: 30,
    environments: [environment],
    onFunctionError() {},
  });
  const text = await new WorkMetrics('own').text(loop, [environment], undefined);
  sqs.destroy();
  const own = [...(await parsePrometheus(text))].filter(([name]) => name.startsWith('labelqueue_work_'));
  const [, table = ''] = PAGE.split('| metric of `labelqueue work` | type | unit | labels | meaning |');
  const rows = new Map(
    [...table.matchAll(/^\| `(\w+)` \| (\w+) \| \w+ \| (.*?) \|/gm)].map(([, name, type, labels = '']) => [
      name,
      { type, label: /^`(\w+)`/.exec(labels)?.[1] },
    ]),
  );
  expect(own.map(([name]) => name).toSorted()).toEqual([...rows.keys()].toSorted());
  for (const [name, { type, samples }] of own) {
    const label = Object.keys(samples[0]?.labels ?? {})[0];
    expect({ name, type, label }).toEqual({ name, ...rows.get(name) });
  }
});
