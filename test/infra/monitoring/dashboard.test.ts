import { describe, expect, test } from '@jest/globals';
import { type AlarmProperties, alarmsForPeople, expressionOf, metricsOf } from '../../support/cloudwatch/alarm.ts';
import { shownMetrics, type Widget, widgetsOf } from '../../support/cloudwatch/dashboard-body.ts';
import { evaluate, type Series } from '../../support/cloudwatch/metric-math.ts';
import { templateOf } from '../synthesized.ts';

const COLUMNS = 24;
const whole = templateOf({ api: {}, chatbot: {}, jobEvents: true, fleet: {}, oldestMessageAlarmMinutes: 90 });
const widgets = widgetsOf(whole);
const graphs = widgets.filter(({ type, properties }) => type === 'metric' && properties.view !== 'singleValue');
const titles = (made: readonly Widget[]) => made.flatMap(({ properties: { title } }) => title ?? []);

function widget(title: string): Widget {
  const found = widgets.find(({ properties }) => properties.title === title);
  if (found === undefined) throw new Error(`expected a widget ${title}, got ${titles(widgets).join('; ')}`);
  return found;
}

/** The value of the line that a widget computes, from a value for each name in its expression. */
function computed(title: string, given: Record<string, number | undefined>, label?: string): number | undefined {
  const lines = shownMetrics(widget(title)).map(({ options }) => options);
  const line = lines.find((options) => options.expression !== undefined && options.label === (label ?? options.label));
  const series = new Map(
    Object.entries(given).map(([name, value]): [string, Series] => [
      name,
      new Map(value === undefined ? [] : [[0, value]]),
    ]),
  );
  const context = { period: line?.period ?? 300, times: [0], series, missing: 'is missing' } as const;
  return evaluate(line?.expression ?? '', context).get(0);
}

describe('the grid', () => {
  test('has 24 columns, and no overlapping widgets', () => {
    const taken = new Set<string>();
    for (const { x, y, width, height } of widgets) {
      expect(x + width).toBeLessThanOrEqual(COLUMNS);
      for (let column = x; column < x + width; column++) {
        for (let row = y; row < y + height; row++) {
          expect(taken).not.toContain(`${column} ${row}`);
          taken.add(`${column} ${row}`);
        }
      }
    }
  });

  test('has no empty column in any row', () => {
    const area = widgets.reduce((sum, { width, height }) => sum + width * height, 0);
    const rows = Math.max(...widgets.map(({ y, height }) => y + height));
    expect(area).toBe(COLUMNS * rows);
  });

  test('begins with the alarms and the current figures', () => {
    const [alarms, ...others] = widgets;
    expect(alarms).toMatchObject({ type: 'alarm', y: 0, width: COLUMNS });
    expect(alarms?.properties.alarms).toHaveLength(alarmsForPeople(whole).length);
    const figures = others.filter(({ properties }) => properties.view === 'singleValue');
    expect(titles(figures)).toEqual([
      'Messages waiting',
      'Oldest message, minutes',
      'Time to drain, minutes',
      'Images per minute',
      'Images that failed, %',
      'Worker, $ per hour',
    ]);
  });
});

describe('each graph', () => {
  test.each(graphs.map((made) => [made.properties.title ?? '', made] as const))(
    '%s names its axes and its lines',
    (_title, made) => {
      const { yAxis = {}, metrics = [] } = made.properties;
      expect(metrics.length).toBeGreaterThan(0);
      expect(yAxis.left).toMatchObject({ min: 0, label: expect.stringMatching(/\w/), showUnits: false });
      const visible = shownMetrics(made).filter(({ options }) => options.visible !== false);
      for (const { options } of visible) expect(options.label).toMatch(/\w/);
      const isOnTheRight = visible.some(({ options }) => options.yAxis === 'right');
      expect(yAxis.right?.label !== undefined).toBe(isOnTheRight);
    },
  );

  test('has its own title', () => {
    expect(new Set(titles(graphs)).size).toBe(graphs.length);
  });
});

describe('a stage without API, chatbot, announcements and fleet', () => {
  test('has no row for them', () => {
    const bare = titles(widgetsOf(templateOf())).join('\n');
    expect(bare).not.toMatch(/API|Chatbot|Ends|Fleet/);
    expect(bare).toMatch(/Sweep: /);
    expect(titles(widgets).join('\n')).toMatch(/Fleet: [\s\S]*API: [\s\S]*Chatbot: [\s\S]*Ends: [\s\S]*Sweep: /);
  });
});

describe('time to drain', () => {
  const TITLE = 'Age of the oldest message, and time to drain';
  const queue = { waiting: 80, taken: 10, delayed: 10, sent: 50, done: 100 };
  const drain = (changed: Partial<typeof queue>) => computed(TITLE, { ...queue, ...changed }, 'time to drain');

  test('is the queue length divided by the rate of completion minus the rate of arrival', () => {
    expect(drain({})).toBe((100 / 50) * 5);
  });

  test('is zero for an empty queue, and has no value while the queue grows', () => {
    expect(drain({ waiting: 0, taken: 0, delayed: 0, done: 0 })).toBe(0);
    expect(drain({ sent: 100 })).toBeUndefined();
    expect(drain({ sent: 120 })).toBeUndefined();
  });

  test('has no value beyond a day, which would flatten the graph', () => {
    expect(drain({ waiting: 14_000 })).toBeCloseTo(1_402, 0);
    expect(drain({ waiting: 14_500 })).toBeUndefined();
  });

  test('stands beside the threshold of the alarm on the age', () => {
    const { annotations } = widget(TITLE).properties;
    expect(annotations?.horizontal).toEqual([expect.objectContaining({ value: 90, label: 'alarm on the age' })]);
  });
});

describe('cost', () => {
  const used = { worker_ms: 3_600_000, worker_requests: 1_000_000 };
  const perHour = (template: ReturnType<typeof templateOf>, label: string) => {
    const made = widgetsOf(template).find(({ properties }) => properties.title === 'Lambda: $ per hour');
    const options = made && shownMetrics(made).find((shown) => shown.options.label === label)?.options;
    return options?.expression;
  };

  test('is the price of time and requests', () => {
    // An hour of 1,769 MB within five minutes, and a million requests.
    const gbSeconds = (3_600 * 1_769) / 1_024;
    expect(computed('Lambda: $ per hour', used, 'worker')).toBeCloseTo((gbSeconds * 0.000_016_666_7 + 0.2) * 12, 4);
  });

  test('has a line for each function, so that one without calls does not hide the others', () => {
    const labels = shownMetrics(widget('Lambda: $ per hour')).flatMap(({ options }) =>
      options.expression ? [options.label] : [],
    );
    expect(labels).toEqual(['worker', 'API', 'chatbot', 'announcer', 'sweep']);
  });

  test('uses the memory of the stage', () => {
    const price = (memoryMb: number) =>
      Number(/worker_ms \* ([\d.]+)/.exec(perHour(templateOf({ memoryMb }), 'worker') ?? '')?.[1]);
    expect(price(3_538) / price(1_769)).toBeCloseTo(2, 6);
  });

  test('of a million images has no value without images', () => {
    expect(computed('Worker: $ per million images', { ...used, done: 0 })).toBeUndefined();
    expect(
      computed('Worker: $ per million images', { worker_ms: 26_000, worker_requests: 1, done: 1_000 }),
    ).toBeCloseTo(0.749, 2);
  });
});

describe('the fleet', () => {
  test('has at most the on-demand price of its instances', () => {
    const usd = computed('Fleet: $ per hour at most', { there: 10 });
    expect(usd).toBeCloseTo(10 * (4 * 0.05132 + 0.005 + (12 * 0.08) / 730), 4);
  });

  test('has no messages per instance without instances', () => {
    const title = 'Fleet: messages per instance, and how busy processors are';
    expect(computed(title, { waiting: 100, taken: 20, there: 4 })).toBe(30);
    expect(computed(title, { waiting: 100, taken: 20, there: 0 })).toBeUndefined();
  });

  test('has no price when the vCPUs of its instances are unknown', () => {
    const metal = titles(widgetsOf(templateOf({ fleet: { instanceTypes: ['c7i.metal'] } })));
    expect(metal).toContain('Fleet: instances');
    expect(metal).not.toContain('Fleet: $ per hour at most');
  });
});

/** Metrics of one source that are there together, or not at all. */
const TOGETHER: [source: string, names: RegExp][] = [
  // SQS reports zeros for each queue that was asked for anything within six hours, and Lambda polls.
  [
    'AWS/SQS',
    /^(ApproximateNumberOfMessages(Visible|NotVisible|Delayed)|ApproximateAgeOfOldestMessage|NumberOfMessages(Sent|Received|Deleted))$/,
  ],
  ['AWS/Lambda', /^(Duration|Invocations)$/],
  // See "has both counts" in emitted-metrics.test.ts.
  ['labelqueue', /^Images(Classified|Failed)$/],
  // API Gateway counts errors only where it counts requests.
  ['AWS/ApiGateway', /^(Count|5xx)$/],
];

/** A group reports each minute, whatever it has, once its stage is there: it is missing nowhere. */
const ALWAYS = 'AWS/AutoScaling';

function sourcesOf(metrics: readonly { namespace: string; name: string }[]): string[] {
  const others = metrics.filter(({ namespace }) => namespace !== ALWAYS);
  if (others.length === 0) return [ALWAYS];
  return others.map(({ namespace, name }) => {
    const source = TOGETHER.find(([its, names]) => its === namespace && names.test(name));
    return source?.[0] ?? `${namespace} ${name}, of which it is not known whether it always comes`;
  });
}

describe('expressions', () => {
  const ofWidgets = widgets.flatMap((made) =>
    shownMetrics(made).flatMap(({ options: { expression } }) =>
      expression === undefined || expression.startsWith('SEARCH(')
        ? []
        : [{ name: `${made.properties.title}: ${expression}`, expression, metrics: usedBy(expression, made) }],
    ),
  );
  const ofAlarms = Object.values(whole.findResources('AWS::CloudWatch::Alarm')).flatMap(({ Properties }) => {
    const alarm = Properties as AlarmProperties;
    const metrics = [...metricsOf(alarm).values()].map(({ Namespace: namespace, MetricName: name }) => ({
      namespace,
      name,
    }));
    return expressionOf(alarm) === 'value' ? [] : [{ name: alarm.AlarmName, expression: expressionOf(alarm), metrics }];
  });
  const all = [...ofWidgets, ...ofAlarms];

  function usedBy(expression: string, made: Widget) {
    const shown = shownMetrics(made).filter(
      ({ options: { id } }) => id !== undefined && new RegExp(`\\b${id}\\b`).test(expression),
    );
    return shown.flatMap(({ namespace, name }) => (namespace === undefined ? [] : [{ namespace, name: name ?? '' }]));
  }

  test.each(all.map(({ name, ...rest }) => [name, rest] as const))(
    '%s needs no metric that may be missing by itself',
    (_name, { expression, metrics }) => {
      // FILL() makes no series of a metric that never came: whoever needs it has to do without.
      expect(expression).not.toContain('FILL');
      const sources = new Set(sourcesOf(metrics));
      // What an image costs is asked for only when there are images.
      if (/ \/ done \* 1000000/.test(expression)) sources.delete('labelqueue');
      expect([...sources]).toHaveLength(1);
      expect([...sources][0]).not.toMatch(/not known/);
    },
  );

  test('are found in widgets and alarms', () => {
    expect(ofWidgets.length).toBeGreaterThanOrEqual(8);
    expect(ofAlarms.map(({ name }) => name.replace(/^labelqueue-test-/, '')).toSorted()).toEqual([
      'ApiServerErrors',
      'FailureShare',
      'FleetBelowCapacity',
      'FleetIdle',
      'FleetScaleIn',
      'FleetScaleOut',
      'FleetScaleToZero',
      'NoProgress',
      'NoProgressInFlight',
    ]);
  });
});
