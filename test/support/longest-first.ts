/**
 * Jest's sequencer for a checkout where no test has run before. Jest then begins with the largest files, which are not the
 * longest: minutes of work could come last, when nothing else remains to be done. Once Jest has measured a file, its own
 * order holds.
 */
import { createRequire } from 'node:module';

// Its types describe the CommonJS form, whose default export is the class.
const { default: TestSequencer } = createRequire(import.meta.url)(
  '@jest/test-sequencer',
) as typeof import('@jest/test-sequencer');

type Sequencer = InstanceType<typeof TestSequencer>;
type Tests = Parameters<Sequencer['sort']>[0];

/**
 * Files below `test/` that take more than 20 s, about the longest first. Those that make the Lambda package take turns, and some
 * mostly wait, so neither are side by side.
 */
export const LONGEST = [
  'infra/package/package',
  'functions/announce/local-webhook',
  'npm/package',
  'functions/classify/crash',
  'infra/fleet/instance',
  'clouds/pipeline',
  'cli/not-in-memory',
  'cli/teach/teach',
  'chaos/chaos',
  'infra/package/arm64-package',
  'attack/attack',
  'dashboard/page/live',
  'cli/model-convert',
  'cli/model-get',
  'functions/classify/acknowledgement-chains',
  'infra/rules',
  'cli/interruption',
  'infra/cloudformation',
  'cli/large-listings',
  'cli/bench',
  'classifier/expensive-beside-healthy',
  'docs/models',
  'functions/classify/measured-cost',
  'bench/scale-page',
  'classifier/mutated-images',
  'infra/cdk',
  'worker/work-elsewhere',
  'worker/sqs-outage',
  'worker/work-loop',
] as const;

export default class LongestFirst extends TestSequencer {
  override sort(tests: Tests): ReturnType<Sequencer['sort']> {
    const sorted = super.sort(tests) as Tests;
    const isKnown = ({ duration, path }: Tests[number]) => duration === undefined && placeOf(path) >= 0;
    return [
      ...sorted.filter(isKnown).toSorted((one, other) => placeOf(one.path) - placeOf(other.path)),
      ...sorted.filter((test) => !isKnown(test)),
    ];
  }
}

/** In the list; -1 for a file that is not in it. */
function placeOf(path: string): number {
  return LONGEST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
}
