import { type ShownMetric, shownMetrics, type Widget } from './dashboard-body.ts';
import { evaluate, type Series } from './metric-math.ts';
import { MINUTES, SAMPLE_CODES, sampleValues, shareOf } from './sample-values.ts';

/** CloudWatch has 24 columns over the width of the window, and rows of about this height. */
const COLUMN = 58;
const ROW = 50;
const GAP = 8;
/** As CloudWatch gives them to lines one after the other. */
const COLOURS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2', '#7f7f7f'];

type Line = { label: string; right: boolean; colour: string; values: Series };

/**
 * A page with the widgets where CloudWatch puts them, their titles, axes and lines, drawn with made-up values that the
 * expressions are computed of: to look at, because the dashboard was never rendered by CloudWatch itself.
 */
export function dashboardPage(widgets: readonly Widget[]): string {
  const rows = Math.max(...widgets.map(({ y, height }) => y + height));
  return `<!doctype html><meta charset="utf-8"><title>Dashboard</title><style>${STYLE}</style>
<main style="width:${24 * COLUMN}px;height:${rows * ROW}px">${widgets.map(widgetHtml).join('')}</main>`;
}

const STYLE = `
body { margin: 12px; font: 13px system-ui, sans-serif; background: #f2f3f3; color: #16191f }
main { position: relative }
section { position: absolute; background: #fff; border: 1px solid #d5dbdb; box-sizing: border-box; padding: 6px 10px; overflow: hidden }
section.text { background: none; border: none; padding: 8px 2px } section.text b { font-size: 16px }
h2 { margin: 0; font-size: 14px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.legend { font-size: 11px; display: flex; flex-wrap: wrap; gap: 2px 10px } .legend i { display: inline-block; width: 9px; height: 9px; margin-right: 4px }
.figure { font-size: 30px; margin-top: 6px } .pill { display: inline-block; margin: 3px 6px 3px 0; padding: 2px 9px; border-left: 4px solid #1d8102; background: #f2f8f0 }
table { border-collapse: collapse; margin-top: 6px; width: 100% } td, th { text-align: left; border-bottom: 1px solid #eaeded; padding: 3px 6px; font-size: 12px }
svg text { font-size: 10px; fill: #545b64 }`;

function widgetHtml(widget: Widget): string {
  const { x, y, width, height, type } = widget;
  const box = `left:${x * COLUMN}px;top:${y * ROW}px;width:${width * COLUMN - GAP}px;height:${height * ROW - GAP}px`;
  return `<section class="${type}" style="${box}">${contentOf(widget)}</section>`;
}

function contentOf(widget: Widget): string {
  const { title = '', markdown = '', view, query = '', alarms = [] } = widget.properties;
  if (widget.type === 'text') return escaped(markdown).replace(/^\*\*(.+?)\*\*/, '<b>$1</b>');
  const heading = `<h2>${escaped(title)}</h2>`;
  if (widget.type === 'alarm')
    return heading + alarms.map((arn) => `<span class="pill">${escaped(alarmName(arn))}</span>`).join('');
  if (widget.type === 'log') return heading + tableOf(query);
  return heading + (view === 'singleValue' ? figureOf(widget) : graphOf(widget));
}

function alarmName(arn: string): string {
  return arn.split(':alarm:').at(-1) ?? arn;
}

/** The columns that a query of CloudWatch Logs Insights gives. */
function tableOf(query: string): string {
  const [, counted = '', fields = ''] = /stats count\(\*\) as (\w+) by ([\w, ]+)/.exec(query) ?? [];
  const columns = [...fields.trim().split(', '), counted];
  const cells = (tag: string, texts: readonly string[]) =>
    texts.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('');
  const row = cells(
    'td',
    columns.map((column) => (column === counted ? '12' : '…')),
  );
  return `<table><tr>${cells('th', columns)}</tr>${`<tr>${row}</tr>`.repeat(3)}</table>`;
}

function figureOf(widget: Widget): string {
  const [line] = linesOf(widget);
  const values = [...(line?.values ?? [])];
  const last = values[Math.floor(values.length * 0.6)]?.[1];
  const text = last === undefined ? '--' : formatted(last);
  const size = { width: widget.width * COLUMN - 30, height: 60 };
  return `<div class="figure">${text}</div><svg width="${size.width}" height="${size.height}">${line ? path(line, size, top([line])) : ''}</svg><div class="legend">${escaped(line?.label ?? '')}</div>`;
}

function graphOf(widget: Widget): string {
  const { yAxis = {}, annotations = {} } = widget.properties;
  const lines = linesOf(widget);
  const size = { width: widget.width * COLUMN - 130, height: widget.height * ROW - 110 };
  const [left, right] = [lines.filter((line) => !line.right), lines.filter((line) => line.right)];
  const [leftTop, rightTop] = [
    top(
      left,
      annotations.horizontal?.map(({ value }) => value),
    ),
    top(right),
  ];
  const drawn = [...left.map((line) => path(line, size, leftTop)), ...right.map((line) => path(line, size, rightTop))];
  const limits = (annotations.horizontal ?? []).map(({ value, label }) => {
    const y = size.height * (1 - value / leftTop);
    return `<line x1="0" x2="${size.width}" y1="${y}" y2="${y}" stroke="#d62728"/><text x="4" y="${y + 11}">${escaped(label)}</text>`;
  });
  const axis = (side: 'left' | 'right', highest: number) => {
    const at = side === 'left' ? -6 : size.width + 6;
    const anchor = side === 'left' ? 'end' : 'start';
    const label = yAxis[side]?.label ?? '';
    return `<text x="${at}" y="4" text-anchor="${anchor}">${formatted(highest)}</text><text x="${at}" y="${size.height}" text-anchor="${anchor}">0</text>
<text transform="translate(${side === 'left' ? -44 : size.width + 46} ${size.height / 2}) rotate(-90)" text-anchor="middle">${escaped(label)}</text>`;
  };
  const legend = lines.map(({ label, colour, right: onTheRight, values }) => {
    const note = `${onTheRight ? ' (right)' : ''}${values.size === 0 ? ' (no data)' : ''}`;
    return `<span><i style="background:${colour}"></i>${escaped(label)}${note}</span>`;
  });
  return `<svg width="${size.width + 110}" height="${size.height + 24}" viewBox="-54 -12 ${size.width + 110} ${size.height + 24}">
<rect width="${size.width}" height="${size.height}" fill="none" stroke="#eaeded"/>${axis('left', leftTop)}${right.length > 0 ? axis('right', rightTop) : ''}
${limits.join('')}${drawn.join('')}</svg><div class="legend">${legend.join('')}</div>`;
}

function linesOf(widget: Widget): Line[] {
  const shown = shownMetrics(widget);
  const found = shown.flatMap((metric) => (metric.options.visible === false ? [] : seriesOf(metric, shown)));
  return found.map((line, index) => ({ ...line, colour: COLOURS[index % COLOURS.length] ?? '#000' }));
}

function seriesOf(metric: ShownMetric, all: readonly ShownMetric[]): Omit<Line, 'colour'>[] {
  const { expression, label = '', yAxis, period = 300 } = metric.options;
  const right = yAxis === 'right';
  if (expression === undefined) return [{ label, right, values: valuesOf(metric) }];
  if (expression.startsWith('SEARCH(')) {
    return SAMPLE_CODES.map((code) => ({
      label: code,
      right,
      values: scaled(sampleValues('ImagesFailed', 'Sum', 60), shareOf(code)),
    }));
  }
  const series = new Map(
    all.flatMap((other) => (other.options.id ? [[other.options.id, valuesOf(other)] as const] : [])),
  );
  const times = Array.from({ length: (MINUTES * 60) / period }, (_, index) => index * period);
  return [{ label, right, values: evaluate(expression, { period, times, series, missing: 'is missing' }) }];
}

function valuesOf({ name = '', dimensions, options: { stat = 'Average', period = 300 } }: ShownMetric): Series {
  const isDead = dimensions['QueueName']?.includes('DeadLetter') === true;
  return sampleValues(isDead ? 'DeadLetters' : name, stat, period);
}

function scaled(series: Series, factor: number): Series {
  return new Map([...series].map(([time, value]) => [time, value * factor]));
}

function top(lines: readonly Pick<Line, 'values'>[], others: readonly number[] = []): number {
  return 1.1 * Math.max(1e-9, ...others, ...lines.flatMap(({ values }) => [...values.values()]));
}

/** Broken where values are missing for more than two of its own periods. */
function path({ values, colour }: Line, size: { width: number; height: number }, highest: number): string {
  const points = [...values];
  const steps = points.map(([time, value], index) => {
    const before = points[index - 1]?.[0];
    const move = before === undefined || time - before > 600 ? 'M' : 'L';
    return `${move}${(time / (MINUTES * 60)) * size.width} ${size.height * (1 - value / highest)}`;
  });
  // A single value is a dot.
  return `<path d="${steps.map((step) => `${step}h0.5`).join('')}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-linecap="round"/>`;
}

function formatted(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
