import { createHash } from 'node:crypto';
import { raw } from 'hono/html';
import { type Html, html } from './html.ts';
import { REPORT_MARK } from './mark.ts';

export type PageParts = {
  title: string;
  style: string;
  /** What its policy lets run; a page without scripts has none. */
  scripts?: readonly string[];
  body: Html;
};

/** A page that needs nothing but itself: its policy lets in its own style and scripts, and pictures that are in it. */
export function selfContainedPage({ title, style, scripts = [], body }: PageParts): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src ${hashOf(style)}`,
    ...(scripts.length === 0 ? [] : [`script-src ${scripts.map(hashOf).join(' ')}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${raw(REPORT_MARK)}
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
${body}
</body>
</html>
`.toString();
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
