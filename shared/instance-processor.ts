import type { InstanceFamily } from './contract/instance-families.ts';
import type { StageWorkers } from './contract/stage-workers.ts';
import { ASSUMED_ARM, BENCHMARK, type ProcessorFigure } from './cost.ts';

/** What one vCPU of an instance is, and the arithmetic that the model runs in on it. */
export type Vcpu = { is: 'core' | 'hyperthread'; arithmetic: 'vnni' | 'avx2' | 'arm64' };

const INTEL: Vcpu = { is: 'hyperthread', arithmetic: 'vnni' };
const AMD_MILAN: Vcpu = { is: 'hyperthread', arithmetic: 'avx2' };
const AMD_GENOA: Vcpu = { is: 'core', arithmetic: 'vnni' };
const GRAVITON: Vcpu = { is: 'core', arithmetic: 'arm64' };

/**
 * By family. Core or hyperthread: AWS, docs.aws.amazon.com/whitepapers/latest/financial-services-grid-computing/x86-instances.html: a
 * vCPU of x86 is a thread of a core, except on C7a, M7a, R7a; and AWSEC2/latest/UserGuide/instance-optimize-cpu.html: and on
 * Graviton. Of C8a, M8a and R8a it is assumed that they are like their predecessors.
 *
 * Arithmetic, from the generation of the processors: Xeon from Ice Lake on (`i`) and EPYC from Genoa on (`7a`, `8a`) have AVX-512
 * VNNI; EPYC Milan (`6a`) has no AVX-512. No AWS page was found that states this per family. arm64 computes in 32-bit floats.
 */
export const VCPUS: Readonly<Record<InstanceFamily, Vcpu>> = {
  ...{ c6a: AMD_MILAN, m6a: AMD_MILAN },
  ...{ c6i: INTEL, m6i: INTEL, c7i: INTEL, 'c7i-flex': INTEL, m7i: INTEL, 'm7i-flex': INTEL, r7i: INTEL },
  ...{ c8i: INTEL, m8i: INTEL, r8i: INTEL },
  ...{ c7a: AMD_GENOA, m7a: AMD_GENOA, r7a: AMD_GENOA, c8a: AMD_GENOA, m8a: AMD_GENOA, r8a: AMD_GENOA },
  ...{ c6g: GRAVITON, c7g: GRAVITON, c7gd: GRAVITON, c7gn: GRAVITON, c8g: GRAVITON, c8gd: GRAVITON },
  ...{ m6g: GRAVITON, m7g: GRAVITON, m7gd: GRAVITON, m8g: GRAVITON, r6g: GRAVITON, r7g: GRAVITON, r8g: GRAVITON },
};

/**
 * The assumed share of a core that a hyperthread has while its neighbour is busy as well. Nothing was measured: both share the units
 * that the model computes in, so half a core each is what remains if they are full. It is the cautious end: where they wait for
 * memory, two hyperthreads do more than one core.
 */
export const ASSUMED_HYPERTHREAD_SHARE = 0.5;

const FIGURES = {
  vnni: { auto: BENCHMARK.vnni, float32: BENCHMARK.vnniFloats },
  avx2: { auto: BENCHMARK.avx2, float32: BENCHMARK.avx2Floats },
  arm64: { auto: ASSUMED_ARM, float32: ASSUMED_ARM },
} as const satisfies Record<Vcpu['arithmetic'], Record<StageWorkers['modelPrecision'], ProcessorFigure>>;

/** The processor that estimates assume for a vCPU of a family: measured on a whole core, and divided for a hyperthread. */
export function processorOf(
  family: InstanceFamily,
  precision: StageWorkers['modelPrecision'] = 'auto',
): ProcessorFigure {
  const { is, arithmetic } = VCPUS[family];
  const core = FIGURES[arithmetic][precision];
  const onInstance = { ...core, host: 'ec2', memoryMb: 0, instanceFamily: family } as const;
  if (is === 'core') return onInstance;
  return {
    ...onInstance,
    processor: `${core.processor}, a hyperthread as half a core`,
    millisecondsPerImage: core.millisecondsPerImage / ASSUMED_HYPERTHREAD_SHARE,
  };
}
