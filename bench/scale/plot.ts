import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { SCENARIOS } from './scenarios.ts';
import { type Outcome, simulate } from './simulate.ts';

const WIDTH = 860;
const LEGEND_HEIGHT = 70;
const PANEL_HEIGHT = 270;
const TITLE_HEIGHT = 30;
const TITLE = 'Workers over time for 1,000,000 images, and images done over time for 100,000,000';
/** Okabe and Ito's colours, which people with colour-blindness can tell apart. */
const COLOURS = ['#000000', '#e69f00', '#0072b2', '#009e73', '#cc79a7', '#d55e00'];
/** Points a line: more would not be seen. */
const POINTS = 300;

/** A drawing, and how high it is with its title. */
type Panel = { svg: string; height: number; title: string };

type Point = { name: string; seconds: number; concurrency: number; percentDone: number };

/** A drawing in SVG: the workers of a million images, and how 100 million images get done. */
export function scalePlot(): string {
  const drawn = SCENARIOS.filter(({ drawn }) => drawn);
  const names = drawn.map(({ name }) => name);
  const linesOf = (images: number) =>
    drawn.flatMap(({ name, scenario }) => pointsOf(name, images, simulate({ ...scenario, images })));
  const panels = [legend(names), workersPanel(names, linesOf(1_000_000)), donePanel(names, linesOf(100_000_000))];
  return stacked(panels);
}

/** So many moments of a job, evenly spread over the logarithm of its time. */
function pointsOf(name: string, images: number, { samples }: Outcome): Point[] {
  const last = samples.length - 1;
  const indices = new Set(
    Array.from({ length: POINTS + 1 }, (_, step) => Math.round((last + 1) ** (step / POINTS) - 1)),
  );
  return [...indices].flatMap((index) => {
    const sample = samples[index];
    if (sample === undefined) return [];
    const { seconds, concurrency, imagesDone } = sample;
    return [{ name, seconds, concurrency, percentDone: (imagesDone / images) * 100 }];
  });
}

function legend(names: readonly string[]): Panel {
  const entries = names.map((name, index) => ({ name, column: index % 2, row: Math.floor(index / 2) }));
  return panel(LEGEND_HEIGHT, {
    margin: 10,
    x: { axis: null, domain: [0, 2] },
    y: { axis: null, domain: [Math.ceil(names.length / 2) - 0.5, -0.5] },
    color: colours(names),
    marks: [
      Plot.dot(entries, { x: 'column', y: 'row', fill: 'name', r: 5, dx: 40 }),
      Plot.text(entries, { x: 'column', y: 'row', text: 'name', textAnchor: 'start', dx: 52 }),
    ],
  });
}

function workersPanel(names: readonly string[], points: readonly Point[]): Panel {
  return panel(PANEL_HEIGHT, {
    title: '1,000,000 images: workers at once',
    x: { label: 'seconds since the start', domain: [0, 200] },
    y: { type: 'log', label: 'workers', domain: [1, 2_000], ticks: [1, 10, 100, 1_000], tickFormat: ',', grid: true },
    color: colours(names),
    clip: true,
    marks: [Plot.line(points, { x: 'seconds', y: 'concurrency', stroke: 'name', curve: 'step-after' })],
  });
}

/** The times that its axis names. */
const TIMES: ReadonlyMap<number, string> = new Map([
  [10, '10 s'],
  [60, '1 min'],
  [600, '10 min'],
  [3_600, '1 h'],
  [36_000, '10 h'],
  [360_000, '100 h'],
]);

function donePanel(names: readonly string[], points: readonly Point[]): Panel {
  return panel(PANEL_HEIGHT, {
    title: '100,000,000 images: how many are done',
    x: { type: 'log', label: 'time since the start', domain: [10, 360_000] },
    y: { label: '% of the images', domain: [0, 100], grid: true },
    color: colours(names),
    clip: true,
    marks: [
      Plot.axisX([...TIMES.keys()], { text: (seconds: number) => TIMES.get(seconds) }),
      Plot.line(points, { x: 'seconds', y: 'percentDone', stroke: 'name' }),
    ],
  });
}

function colours(names: readonly string[]): Plot.ScaleOptions {
  return { domain: [...names], range: COLOURS.slice(0, names.length) };
}

function panel(height: number, { title = '', ...options }: Plot.PlotOptions & { title?: string }): Panel {
  const { document } = parseHTML('<html><body></body></html>');
  const svg = Plot.plot({ document, width: WIDTH, height, marginLeft: 60, marginRight: 30, ...options });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return { svg: svg.outerHTML, height, title };
}

/** One below the other, on white: a page may be dark. */
function stacked(panels: readonly Panel[]): string {
  let top = 0;
  const parts = panels.map(({ svg, height, title }) => {
    const heading = title === '' ? 0 : TITLE_HEIGHT;
    const titled = heading === 0 ? '' : `<text x="20" y="${top + 18}" font-size="14" font-weight="600">${title}</text>`;
    const part = `${titled}<svg y="${top + heading}" width="${WIDTH}" height="${height}">${svg}</svg>`;
    top += heading + height;
    return part;
  });
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"`;
  return `${head} font-family="system-ui, sans-serif" fill="#1b1b1b"><title>${TITLE}</title><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>\n`;
}
