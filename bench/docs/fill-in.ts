/** A part of a document that is made of figures, and stands between two comments that nobody sees. */
export type Filled = { name: string; text: string };

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
 *
 * @throws when the document does not have these comments
 */
export function fillIn(document: string, { name, text }: Filled): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`expected ${begin} and ${end} in the document, one is missing`);
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`;
}
