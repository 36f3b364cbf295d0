/** A word as a shell takes it: in quotes if it has anything in it that a shell would read otherwise. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
