import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { messageSizeFor } from '../../shared/contract/message-size.ts';
import { ASSUMED, assumedText, BENCHMARK, costOfImages, PRICES, type ProcessorFigure } from '../../shared/cost.ts';
import { exactDollars } from '../format.ts';

const MILLION = 1_000_000;
const PER_MESSAGE = [1_000, messageSizeFor(MILLION), 100, 10, 1];

/** What a million images cost on the assumed processor, by images per message. */
export function costTable(): string {
  return [
    '| images per message | Lambda GB-seconds | Lambda requests | SQS requests | S3 PUTs | logs | total |',
    '|---|---|---|---|---|---|---|',
    ...PER_MESSAGE.map(costRow),
  ].join('\n');
}

function costRow(perMessage: number): string {
  const { lambdaUsd, lambdaRequestsUsd, sqsUsd, s3Usd, logsUsd, totalUsd } = costOfImages(MILLION, perMessage);
  const isChosen = perMessage === messageSizeFor(MILLION);
  const name = perMessage.toLocaleString('en') + (isChosen ? ' (the default for a job of a million)' : '');
  const cells = [lambdaUsd, lambdaRequestsUsd, sqsUsd, s3Usd, logsUsd, totalUsd].map((usd) => exactDollars(usd));
  return `| ${[name, ...cells].join(' | ')} |`;
}

/** What a million images cost on other processors. */
export function processorTable(): string {
  const rows: [string, ProcessorFigure][] = [
    ['x86_64 with AVX2, 1,769 MB', BENCHMARK.avx2],
    ['x86_64 with AVX2, 1,769 MB: 32-bit floats', BENCHMARK.avx2Floats],
    ['arm64, 1,769 MB: 32-bit floats, assuming the same speed', { ...BENCHMARK.avx2Floats, architecture: 'arm64' }],
    ['x86_64 with AVX-512 VNNI, 1,769 MB', BENCHMARK.vnni],
    ['x86_64 with AVX-512 VNNI, 1,769 MB: 32-bit floats', BENCHMARK.vnniFloats],
  ];
  return [
    '| | ms per image | per million images |',
    '|---|---|---|',
    ...rows.map(([name, figure]) => {
      const { totalUsd } = costOfImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, figure);
      return `| ${name} | ${figure.millisecondsPerImage} | ${exactDollars(totalUsd)} |`;
    }),
  ].join('\n');
}

/** What the text says of the assumed processor. */
export function assumedSentence(): string {
  return `on the assumed processor\n(${assumedText()})`;
}

/** What {@link armBreakEven} has written. */
export const ARM_BREAK_EVEN = /less than [\d.]+ ms \(AVX2\) or [\d.]+ ms \(AVX-512 VNNI\)/;

/** Below these an image is cheaper on arm64 than on x86_64. */
export function armBreakEven(): string {
  const cheaper = PRICES.lambdaGbSecondArm / PRICES.lambdaGbSecond;
  const [avx2, vnni] = [ASSUMED, BENCHMARK.vnni].map((figure) => (figure.millisecondsPerImage / cheaper).toFixed(1));
  return `less than ${avx2} ms (AVX2) or ${vnni} ms (AVX-512 VNNI)`;
}
