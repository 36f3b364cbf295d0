import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { LabelqueueMetrics } from '../../dashboard/metrics.ts';
import { TIMED_STAGES } from '../../dashboard/metrics-reading.ts';
import { type PrometheusFamily, parsePrometheus } from '../support/prometheus-text.ts';

const ROOT = join(import.meta.dirname, '../..');
const file = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const page = file('docs/metrics.md');
const runbook = file('docs/runbook.md');

type Target = { expr: string; datasource: { uid: string } };
type Panel = {
  id: number;
  type: string;
  title: string;
  description: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource: { type: string; uid: string };
  targets: Target[];
};
type Variable = { name: string; type: string; query: string | { query: string } };
type Dashboard = { schemaVersion: number; templating: { list: Variable[] }; panels: Panel[] };
const grafana: Dashboard = JSON.parse(file('samples/grafana/labelqueue.json'));

type Rule = {
  alert: string;
  expr: string;
  for?: string;
  annotations: { summary: string; description: string; runbook: string };
};
const rules: Rule[] = parse(file('samples/grafana/alerts.yml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);

/** The rows of a table of the page: cells by the names in its head. */
function rowsOf(head: string): string[][] {
  const [, body = ''] = page.split(`| ${head} |`);
  const lines = body.split('\n').slice(2);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const described = rowsOf('metric | type | unit | labels | meaning');
const alerts = rowsOf('alert | fires when | clears');

/** With something to say about everything. */
async function everything(): Promise<Map<string, PrometheusFamily>> {
  const metrics = new LabelqueueMetrics();
  for (const stage of TIMED_STAGES) metrics.observeStage(stage, 0.1);
  metrics.addWorker({ processor: 'CPU', model: 'm 1' });
  const reading = {
    queue: { waiting: 5, in_flight: 0, delayed: 0, dead: 0 },
    oldestMessageAgeSeconds: 1,
    images: [
      { outcome: 'failed', code: 'timeout', total: 1 },
      { outcome: 'retried', code: 'timeout', total: 1 },
    ],
    messages: { settled: 1, malformed: 1, unsettled: 1 },
    workerErrors: 1,
    costUsd: 1,
    jobs: [{ job: 'cats', classified: 1, failed: 1, remaining: 1 }],
  } as const;
  await metrics.text(reading, 0);
  return parsePrometheus(await metrics.text(reading, 60_000));
}

let families: Map<string, PrometheusFamily>;
beforeAll(async () => {
  families = await everything();
});

describe('the page about metrics', () => {
  test('describes exactly the metrics of the output, with their types', () => {
    const stated = described.map(([name, type]) => `${name} ${type}`);
    expect(stated.toSorted()).toEqual([...families.values()].map(({ name, type }) => `\`${name}\` ${type}`).toSorted());
  });

  test.each(described.map(([name = '', , , labels = '']) => [name.replaceAll('`', ''), labels]))(
    '%s has the labels that it has there, with the values that are listed',
    (name, labels) => {
      const stated = new Map(
        labels.split('; ').flatMap((text): [string, string][] => {
          const [label = '', ...values] = [...text.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
          return label === '' ? [] : [[label, values.toSorted().join()]];
        }),
      );
      const samples = families.get(name)?.samples ?? [];
      const found = Map.groupBy(
        samples.flatMap((sample) => Object.entries(sample.labels)).filter(([label]) => label !== 'le'),
        ([label]) => label,
      );
      expect([...found.keys()].toSorted()).toEqual([...stated.keys()].toSorted());
      for (const [label, values] of stated) {
        if (values === '') continue;
        const there = new Set((found.get(label) ?? []).map(([, value]) => value));
        expect([...there].toSorted().join()).toBe(values);
      }
    },
  );

  test('every metric has help', () => {
    for (const { help } of families.values()) expect(help).toMatch(/^[A-Z].+\.$/);
  });

  test('has about the documented number of series', () => {
    const [, series = ''] = /about (\d+), from the start/.exec(page) ?? [];
    const all = [...families.values()].filter(({ name }) => name !== 'labelqueue_job_images');
    expect(Math.round(all.flatMap(({ samples }) => samples).length / 10) * 10).toBe(Number(series));
  });

  test('describes exactly the alerts', () => {
    expect(alerts.map(([name]) => name)).toEqual(rules.map(({ alert }) => `\`${alert}\``));
    for (const [, when, ends] of alerts) for (const text of [when, ends]) expect(text).toMatch(/\w{3}/);
  });
});

/** The names of metrics in an expression, and what in it is not PromQL. */
function readPromQl(expression: string): { metrics: string[]; errors: string[] } {
  // Grafana fills these in.
  const filledIn = expression.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
  const found = { metrics: [] as string[], errors: [] as string[] };
  parser.parse(filledIn).iterate({
    enter({ name, type, from, to }) {
      const text = filledIn.slice(from, to);
      if (type.isError) found.errors.push(`${text} at ${from}`);
      if (name === 'VectorSelector') found.metrics.push(/^\w+/.exec(text)?.[0] ?? text);
    },
  });
  return found;
}

function knownNames(): Set<string> {
  return new Set([...families.values()].flatMap(({ samples }) => samples.map(({ name }) => name)));
}

const expressions = [
  ...grafana.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr])),
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr]),
] as [string, string][];

describe('expressions', () => {
  test.each(expressions)('%s: is PromQL over existing metrics', (_where, expression) => {
    const { metrics, errors } = readPromQl(expression);
    expect(errors).toEqual([]);
    expect(metrics.length).toBeGreaterThan(0);
    for (const name of metrics) expect(knownNames()).toContain(name);
  });

  test('that are not PromQL would be found', () => {
    expect(readPromQl('sum by (state) rate(labelqueue_queue_messages[5m)').errors).not.toEqual([]);
    expect(readPromQl('rate(labelqueue_image_total[5m])').metrics).toEqual(['labelqueue_image_total']);
  });

  test.each(expressions)('%s: counters as rates, gauges as they are', (_where, expression) => {
    for (const [, name = ''] of expression.matchAll(/(labelqueue_\w+_(?:total|bucket))/g)) {
      expect(expression).toMatch(new RegExp(`(rate|increase)\\(${name}`));
    }
  });

  test('of the panels leave no metric out', () => {
    const shown = new Set(
      expressions
        .flatMap(([, expression]) => readPromQl(expression).metrics)
        .map((name) => name.replace(/_bucket$/, '')),
    );
    expect([...shown].toSorted()).toEqual([...families.keys()].toSorted());
  });
});

/** How Grafana writes the value of the variable `datasource`. */
const CHOSEN = '$' + '{datasource}';

describe("Grafana's dashboard", () => {
  test('has a data source that the user chooses', () => {
    const [datasource] = grafana.templating.list;
    expect(datasource).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { datasource, targets } of grafana.panels) {
      expect(datasource).toEqual({ type: 'prometheus', uid: CHOSEN });
      for (const target of targets) expect(target.datasource.uid).toBe(CHOSEN);
    }
  });

  test('has panels with distinct titles, descriptions and ids, which do not overlap', () => {
    const taken = new Set<string>();
    for (const { title, description, gridPos } of grafana.panels) {
      expect(title).toMatch(/\w/);
      expect(description).toMatch(/\w.+\.$/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken).not.toContain(`${x} ${y}`);
          taken.add(`${x} ${y}`);
        }
      }
    }
    for (const key of ['id', 'title'] as const) {
      expect(new Set(grafana.panels.map((panel) => panel[key])).size).toBe(grafana.panels.length);
    }
  });
});

describe('alerts', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s says what is the matter, when it ends, and where to read on',
    (_alert, { annotations }) => {
      expect(annotations.summary).toMatch(/\.$/);
      expect(annotations.description).toMatch(/The alert ends .+\.$|\. The alert ends/);
      const [, anchor = ''] = /^docs\/runbook\.md#([a-z-]+)$/.exec(annotations.runbook) ?? [];
      expect(runbook.toLowerCase().replaceAll(' ', '-')).toContain(`\n##-${anchor}\n`);
    },
  );
});
