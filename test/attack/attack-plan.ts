import expectedLabels from '../../samples/expected.json' with { type: 'json' };
import type { PlannedImage } from '../chaos/image-plan.ts';
import type { Random } from '../support/random.ts';
import type { Attack } from './attack-kinds.ts';

/** An image with what its host does, for the counts by behaviour. */
export type PlannedAttack = PlannedImage & { behaviour: string };

/**
 * Each attack once, in an order of chance, before any comes again; on hosts in turns.
 *
 * @param attacks at least one
 * @param hosts of the misbehaving servers
 */
export function planAttacks(
  count: number,
  attacks: readonly Attack[],
  hosts: readonly string[],
  random: Random,
): PlannedAttack[] {
  let left: Attack[] = [];
  return Array.from({ length: count }, (_, row) => {
    if (left.length === 0) left = shuffled(attacks, random);
    const { behaviour, path, host, right } = left.pop() as Attack;
    const key = String(row);
    const url = `http://${host?.(key) ?? hosts[row % hosts.length]}${path(key)}`;
    return { image: { id: `attack-${row}`, url }, right, behaviour };
  });
}

/** @param host of a server that does nothing wrong */
export function planHealthy(count: number, host: string): PlannedImage[] {
  const photos = Object.entries(expectedLabels);
  return Array.from({ length: count }, (_, row) => {
    const [photo, { label }] = photos[row % photos.length] as (typeof photos)[number];
    return { image: { id: `healthy-${row}`, url: `http://${host}/${photo}?row=${row}` }, right: { label } };
  });
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const rest = [...items];
  return Array.from({ length: rest.length }, () => rest.splice(random.between(0, rest.length - 1), 1)[0] as Item);
}
