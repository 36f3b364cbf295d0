import type { ImageRef } from '../../shared/contract/message.ts';
import type { Random } from '../support/random.ts';
import { BAD, GOOD, HOPELESS, type ImageKind, type RightOutcome, SLOW } from './image-kinds.ts';

/** An image with what must become of it. */
export type PlannedImage = { image: ImageRef; right: RightOutcome };

/** How much of a run is of which kind; of slow ones few, since each costs five time-outs. */
const SHARES: [share: number, kinds: readonly ImageKind[]][] = [
  [0.6, GOOD],
  [0.25, BAD],
  [0.12, HOPELESS],
  [0.03, SLOW],
];

/** @param host of the misbehaving image server */
export function planImages(count: number, host: string, random: Random): PlannedImage[] {
  const weighted = SHARES.flatMap(([share, kinds]) => Array.from({ length: share * 100 }, () => kinds));
  return Array.from({ length: count }, (_, row) => {
    const { path, right } = random.pick(random.pick(weighted));
    const url = `http://${host}${path(String(row))}`;
    return { image: { id: `row-${row}`, url, meta: { row } }, right };
  });
}
