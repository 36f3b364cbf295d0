import type { InstanceFamily } from '../../shared/contract/instance-families.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { messageSizeFor } from '../../shared/contract/message-size.ts';
import { ASSUMED, BENCHMARK, costOfImages, type ProcessorFigure, usdOfTime } from '../../shared/cost.ts';
import { costOfFleetImages, SPOT_DISCOUNT } from '../../shared/fleet-cost.ts';
import { FLEET_MACHINE, FLEET_PRICES, instanceUsdPerHour } from '../../shared/instance-price.ts';
import { processorOf, VCPUS, type Vcpu } from '../../shared/instance-processor.ts';
import { exactDollars } from '../format.ts';
import { FLEET_ASSUMPTIONS } from '../scale/fleet-assumptions.ts';

const MILLION = 1_000_000;
const ARITHMETIC = { vnni: 'int8, AVX-512 VNNI', avx2: 'int8, AVX2', arm64: '32-bit floats' } as const satisfies Record<
  Vcpu['arithmetic'],
  string
>;
const HOUR_SECONDS = 3_600;
/** The default of a stage. */
const IDLE_SECONDS = 600;

/** What a million images cost on a fleet, by images per message. */
export function fleetCostTable(): string {
  const rows = [1_000, messageSizeFor(MILLION), DEFAULT_IMAGES_PER_MESSAGE].map((perMessage) => {
    const [onDemand, spot] = [0, SPOT_DISCOUNT].map((discount) => costOfFleetImages(MILLION, perMessage, discount));
    const requests = (onDemand?.sqsUsd ?? 0) + (onDemand?.s3Usd ?? 0) + (onDemand?.logsUsd ?? 0);
    const cells = [onDemand?.fleetUsd, spot?.fleetUsd, requests, onDemand?.totalUsd, spot?.totalUsd];
    return `| ${[perMessage.toLocaleString('en'), ...cells.map((usd) => exactDollars(usd))].join(' | ')} |`;
  });
  return [
    '| images per message | on-demand instances | Spot instances | SQS, S3 and logs | total on demand | total on Spot |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** What things cost by the hour, and what a million images cost on them. */
export function fleetPriceTable(): string {
  const perMillion = (processor: ProcessorFigure) =>
    costOfImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, processor).totalUsd;
  const onFleet = (discount: number) => costOfFleetImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, discount).totalUsd;
  const hour = (usd: number) => `$${usd.toFixed(4)}`;
  const lambdaVcpu = usdOfTime({ ...ASSUMED, milliseconds: HOUR_SECONDS * 1_000 });
  return [
    '| | per vCPU-hour | ms per image | per million images |',
    '|---|---|---|---|',
    `| Lambda, x86_64 with AVX2 | ${hour(lambdaVcpu)} | ${BENCHMARK.avx2.millisecondsPerImage} | ${exactDollars(perMillion(BENCHMARK.avx2))} |`,
    `| Lambda, x86_64 with AVX-512 VNNI | ${hour(lambdaVcpu)} | ${BENCHMARK.vnni.millisecondsPerImage} | ${exactDollars(perMillion(BENCHMARK.vnni))} |`,
    ...[0, SPOT_DISCOUNT].map((discount) => {
      const vcpu = instanceUsdPerHour(FLEET_MACHINE, discount) / FLEET_MACHINE.vcpus;
      const name = discount === 0 ? 'on demand' : `Spot at ${discount * 100} % off`;
      return `| ${FLEET_MACHINE.instanceType} ${name}, with address and disk | ${hour(vcpu)} | ${BENCHMARK.vnni.millisecondsPerImage} | ${exactDollars(onFleet(discount))} |`;
    }),
  ].join('\n');
}

/** What estimates assume by family, and what a million images cost on demand. */
export function fleetFamilyTable(): string {
  const rows = (Object.keys(VCPUS) as InstanceFamily[]).map((family) => {
    const { is, arithmetic } = VCPUS[family];
    const processor = processorOf(family);
    const { totalUsd } = costOfFleetImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, 0, processor);
    return `| ${[family, is, ARITHMETIC[arithmetic], processor.millisecondsPerImage, exactDollars(totalUsd)].join(' | ')} |`;
  });
  return [
    '| family | a vCPU is a | arithmetic | ms per image | per million images on demand |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** From how many images on each instance a job costs less on a fleet than on Lambda. */
export function breakEvenTable(): string {
  const rows = [0, SPOT_DISCOUNT].map((discount) => {
    const images = [BENCHMARK.avx2, BENCHMARK.vnni].map((processor) => thousands(breakEvenImages(discount, processor)));
    return `| ${discount === 0 ? 'on demand' : 'Spot'} | ${exactDollars(usdAside(discount))} | ${images.join(' | ')} |`;
  });
  return [
    '| | cost of starting an instance and ten idle minutes | break-even images against Lambda with AVX2 | against Lambda with AVX-512 VNNI |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** How many images save, over Lambda with this processor, what an instance costs beside its work. */
export function breakEvenImages(discount: number, processor: ProcessorFigure): number {
  const onFleet = costOfFleetImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, discount).totalUsd;
  const saved = costOfImages(MILLION, DEFAULT_IMAGES_PER_MESSAGE, processor).totalUsd - onFleet;
  return (usdAside(discount) / saved) * MILLION;
}

/** Its start, and the minutes in which it waits for more. */
function usdAside(discount: number): number {
  const seconds = FLEET_ASSUMPTIONS.bootSeconds.value + IDLE_SECONDS;
  return (instanceUsdPerHour(FLEET_MACHINE, discount) * seconds) / HOUR_SECONDS;
}

/** What an instance is made of, as the text says it. */
export function fleetPriceSentence(): string {
  const { vcpuHour, addressHour, volumeGbMonth } = FLEET_PRICES;
  return `a vCPU of c7a $${vcpuHour.toFixed(5)} an hour, a public IPv4 address $${addressHour} an hour, a GB of a gp3 volume $${volumeGbMonth.toFixed(2)} a month`;
}

function thousands(images: number): string {
  return (Math.ceil(images / 1_000) * 1_000).toLocaleString('en');
}
