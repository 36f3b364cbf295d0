/** A number with its noun, e.g. `1 image`, `2 images`, `2 dead letters`; irregular plurals are given. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
