import { html as escaping, raw } from 'hono/html';
import { plain } from '../../dashboard/page/plain-text.js';

/** Markup that is safe to put into a page. */
export type Html = ReturnType<typeof raw>;

type Value = string | number | Html | undefined | readonly Value[];

/**
 * Markup from a template. What stands in `${}` is text: characters that steer a reader's eye are removed, and the rest is
 * escaped, unless it is markup itself.
 *
 * @example html`<b>${'1 < 2'}</b>` // <b>1 &lt; 2</b>
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  // Without promises among the values, hono's tag returns no promise.
  return escaping(strings, ...values.map(withPlainText)) as Html;
}

/** Markup is an object here, though its type is a string's. */
function withPlainText(value: Value): unknown {
  if (Array.isArray(value)) return value.map(withPlainText);
  return typeof value === 'string' ? plain(value) : value;
}

/** JSON for a `<script type="application/json">`, which ends at the first `</script`. */
export function jsonScript(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
  return html`<script type="application/json" id="${id}">${raw(json)}</script>`;
}
