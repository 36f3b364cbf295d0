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

/** Files that take more than 20 s, the longest first; those that make the Lambda package are apart, since they take turns. */
export const LONGEST = [
  'infra/package/package',
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
