// @ts-nocheck: runs in the browser, in one module with chart-theme.js of the dashboard, where Chart is a global.
// Draws the charts of a report. Without it, or without JavaScript, the page shows tables.

const data = JSON.parse(document.getElementById('data').textContent);
const MAX_LABEL_CHARS = 24;
const BAR_HEIGHT = 26;
const charts = [];

function shortened(text) {
  const limit = innerWidth < 500 ? MAX_LABEL_CHARS / 1.5 : MAX_LABEL_CHARS;
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

function draw(id, config, height) {
  const canvas = document.getElementById(id);
  if (canvas === null) return;
  canvas.parentElement.style.height = `${height}px`;
  const plugins = { legend: { display: false }, ...config.options.plugins };
  charts.push(new Chart(canvas, { ...config, options: { ...config.options, plugins } }));
}

function drawBars(id, { names, values }, barColour) {
  const scales = {
    x: countScale(),
    y: nameScale({
      ticks: { autoSkip: false, callback: (_value, index) => shortened(names[index]) },
    }),
  };
  const dataset = { data: values, backgroundColor: barColour, borderRadius: 4, maxBarThickness: 18 };
  const config = { type: 'bar', data: { labels: names, datasets: [dataset] }, options: { indexAxis: 'y', scales } };
  draw(id, config, names.length * BAR_HEIGHT + 40);
}

function drawScores({ names, values }) {
  const dataset = {
    data: values,
    backgroundColor: colour('good'),
    borderRadius: 3,
    categoryPercentage: 1,
    barPercentage: 0.9,
  };
  const scales = { x: nameScale({ ticks: { maxRotation: 0, autoSkipPadding: 12 } }), y: countScale() };
  draw('scores', { type: 'bar', data: { labels: names, datasets: [dataset] }, options: { scales } }, 280);
}

function drawTimeline({ names, classified, failed }) {
  const bar = { borderRadius: 2, categoryPercentage: 1, barPercentage: 0.9 };
  const datasets = [
    { ...bar, label: 'classified', data: classified, backgroundColor: colour('good') },
    { ...bar, label: 'failed', data: failed, backgroundColor: colour('bad') },
  ];
  const scales = {
    x: nameScale({ stacked: true, ticks: { maxRotation: 0, autoSkipPadding: 16 } }),
    y: countScale({ stacked: true }),
  };
  const options = { scales, plugins: { legend: smallLegend() }, interaction: { mode: 'index' } };
  draw('timeline', { type: 'bar', data: { labels: names, datasets }, options }, 280);
}

function drawAll() {
  for (const chart of charts.splice(0)) chart.destroy();
  applyTheme(Chart);
  drawBars('labels', data.labels, colour('good'));
  drawBars('errors', data.errors, colour('bad'));
  drawScores(data.scores);
  drawTimeline(data.timeline);
}

document.documentElement.classList.add('drawn');
for (const details of document.querySelectorAll('details.charted')) details.open = false;
drawAll();
whenSchemeChanges(drawAll);
