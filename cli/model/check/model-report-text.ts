import { shapeText } from '../../../shared/classifier/model/model-input.ts';
import { visibleLine } from '../../../shared/contract/visible-text.ts';
import { labelsText } from '../../classify/labels-text.ts';
import type { ModelReport } from './check-model.ts';

/** What `labelqueue model check` prints. */
export function modelReportText(report: ModelReport): string {
  return [factsText(report), timingsText(report), predictionsText(report), warningsText(report)].join('\n');
}

function factsText({ model, format, license, input, outputs, output, labels, config }: ModelReport): string {
  const tensor = ({ name, dtype, shape }: ModelReport['input']) => [name, dtype, shapeText(shape)].join(' ');
  const others = outputs.filter(({ name }) => name !== output).map(({ name }) => name);
  const scores = outputs.find(({ name }) => name === output);
  return lines([
    ['model', `${model.name}, version ${model.version}, ${format.replace('-', ' ')}${license ? `, ${license}` : ''}`],
    ['input', tensor(input)],
    [
      'output',
      `${scores === undefined ? output : tensor(scores)}${others.length > 0 ? ` (and ${others.join(', ')})` : ''}`,
    ],
    [
      'labels',
      `${labels.count} from ${labels.from}: ${labels.first.join(' | ')}${labels.count > labels.first.length ? ' | …' : ''}`,
    ],
    ['pixels', pixelsText(config, input.dtype)],
    ['scores', scoresText(config)],
  ]);
}

function pixelsText(
  { inputSize, crop, interpolation, mean, std }: ModelReport['config'],
  dtype: string | undefined,
): string {
  const square = `the middle ${Math.round(crop * 1_000) / 10} % of the shorter side at ${inputSize} x ${inputSize}, ${interpolation}`;
  if (mean === undefined && std === undefined) return `${square}; ${dtype} from 0 to 255`;
  return `${square}; (x - ${vector(mean ?? [0, 0, 0])}) / ${vector(std ?? [1, 1, 1])}`;
}

function vector([first, ...rest]: readonly number[]): string {
  return rest.every((value) => value === first) ? String(first) : `[${[first, ...rest].join(', ')}]`;
}

function scoresText({ activation, threshold }: ModelReport['config']): string {
  const scores = activation === 'none' ? 'as the model returns them' : `${activation} of the model output`;
  return threshold === undefined ? scores : `${scores}; labels from ${threshold} on`;
}

function timingsText({ timings, memory }: ModelReport): string {
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return lines([
    ...timings.map(({ images, millisecondsPerImage, imagesPerSecond }): [string, string] => [
      `batch of ${images}`,
      `${millisecondsPerImage.toFixed(1)} ms per image, ${imagesPerSecond.toFixed(1)} images/s`,
    ]),
    [
      'memory',
      `${megabytes(memory.beforeBytes)} before, ${megabytes(memory.loadedBytes)} with the model, ${megabytes(memory.peakBytes)} peak`,
    ],
  ]);
}

function predictionsText({ predictions }: ModelReport): string {
  const texts = predictions.map((prediction) =>
    'error' in prediction
      ? `${visibleLine(prediction.photo)}: ${prediction.error.code}: ${visibleLine(prediction.error.message)}\n`
      : `${visibleLine(prediction.photo)}:\n${labelsText(prediction.labels)}`,
  );
  return texts.join('');
}

function warningsText({ warnings }: ModelReport): string {
  if (warnings.length === 0) return 'no warnings\n';
  return warnings.map(({ code, message }) => `warning ${code}: ${visibleLine(message)}\n`).join('');
}

function lines(rows: readonly (readonly [name: string, value: string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)} ${visibleLine(value)}\n`).join('');
}
