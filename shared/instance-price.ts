import type { InstanceFamily } from './contract/instance-families.ts';
import type { Architecture } from './contract/worker-time.ts';

/**
 * US dollars per vCPU-hour on demand, us-east-1, Linux: a quarter of the `xlarge`; aws.amazon.com/ec2/pricing/on-demand, 2026-01,
 * through a secondary source. A vCPU of AMD (`a`) from the seventh generation on, and of Graviton (`g`), is a whole core.
 */
export const VCPU_HOUR_USD: Readonly<Record<InstanceFamily, number>> = {
  c6a: 0.038_25,
  c6i: 0.042_5,
  c7a: 0.051_32,
  c7i: 0.044_625,
  'c7i-flex': 0.042_395,
  c8a: 0.053_885,
  c8i: 0.046_855,
  m6a: 0.043_2,
  m6i: 0.048,
  m7a: 0.057_96,
  m7i: 0.050_4,
  'm7i-flex': 0.047_88,
  m8a: 0.060_86,
  m8i: 0.052_92,
  r7a: 0.076_075,
  r7i: 0.066_15,
  r8a: 0.079_88,
  r8i: 0.069_46,
  c6g: 0.034,
  c7g: 0.036_25,
  c7gd: 0.045_35,
  c7gn: 0.062_4,
  c8g: 0.039_88,
  c8gd: 0.048_99,
  m6g: 0.038_5,
  m7g: 0.040_8,
  m7gd: 0.053_4,
  m8g: 0.044_88,
  r6g: 0.050_4,
  r7g: 0.053_55,
  r8g: 0.058_91,
};

/** The family whose price is assumed for types that are not in the list: the first of a fleet's defaults. */
export const ASSUMED_FAMILY = { x86_64: 'c7a', arm64: 'c7g' } as const satisfies Record<Architecture, InstanceFamily>;

/**
 * AWS list prices in US dollars, us-east-1, Linux; aws.amazon.com/{ec2/pricing/on-demand,vpc/pricing,ebs/pricing}, 2026-11.
 */
export const FLEET_PRICES = {
  vcpuHour: VCPU_HOUR_USD.c7a,
  /** A public IPv4 address. */
  addressHour: 0.005,
  /** A GB of a gp3 volume. */
  volumeGbMonth: 0.08,
} as const;

/** The instance that estimates of a fleet assume, and the default of a stage's fleet. */
export const FLEET_MACHINE = { instanceType: 'c7a.xlarge', vcpus: 4, volumeGb: 12 } as const;

const HOURS_PER_MONTH = 730;
const MILLISECONDS_PER_HOUR = 3_600_000;

/** What an instance is, as far as its price depends on it. */
export type PricedInstance = { vcpus: number; volumeGb: number; family?: InstanceFamily };

/**
 * The price of an instance per hour, with its address and its disk.
 *
 * @param discount from the on-demand price, 0 to 1; not on address and disk
 */
export function instanceUsdPerHour(
  { vcpus, volumeGb, family = ASSUMED_FAMILY.x86_64 }: PricedInstance = FLEET_MACHINE,
  discount = 0,
): number {
  const { addressHour, volumeGbMonth } = FLEET_PRICES;
  return vcpus * VCPU_HOUR_USD[family] * (1 - discount) + addressHour + (volumeGb * volumeGbMonth) / HOURS_PER_MONTH;
}

/** The price of a vCPU on demand per millisecond, with its share of the address and the disk of an `xlarge`. */
export function vcpuUsdPerMillisecond(family: InstanceFamily, discount = 0): number {
  const { vcpus } = FLEET_MACHINE;
  return instanceUsdPerHour({ ...FLEET_MACHINE, family }, discount) / vcpus / MILLISECONDS_PER_HOUR;
}

/** The vCPUs of an instance type by its size, such as 8 of `c7a.2xlarge`; undefined for sizes without a number, such as `metal`. */
export function vcpusOf(instanceType: string): number | undefined {
  const size = instanceType.slice(instanceType.indexOf('.') + 1);
  const [, times] = /^(?:metal-)?(\d*)x(?:large|l)$/.exec(size) ?? [];
  if (times !== undefined) return 4 * (times === '' ? 1 : Number(times));
  return new Map([
    ['medium', 1],
    ['large', 2],
  ]).get(size);
}
