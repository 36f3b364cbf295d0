import type { Stats } from 'node:fs';

/**
 * Whether a folder belongs to another user, who could change the programs in it. Root, who can change all of them, is accepted.
 *
 * @param user by default the one of this process; undefined where the system has no user ids
 */
export function belongsToAnother({ uid }: Pick<Stats, 'uid'>, user = process.getuid?.()): boolean {
  return user !== undefined && uid !== user && uid !== 0;
}
