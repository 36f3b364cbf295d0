// @ts-check
import { linkTo } from './router.js';
import { h } from './vendor/preact.js';

/** @import { ComponentChildren } from './vendor/preact.js' */

/**
 * The subset of Markdown that the runbook uses: paragraphs, lists, code blocks, bold, code and links. It becomes text
 * nodes and never injects markup.
 *
 * @param {{ text: string }} props
 */
export function Markdown({ text }) {
  return h('div', { class: 'prose' }, blocksOf(text).map(block));
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function blocksOf(text) {
  return text.match(/^```[\s\S]*?^```$|^(?!```)[^\n]+(?:\n(?!```)[^\n]+)*/gm) ?? [];
}

/**
 * @param {string} text
 * @param {number} index
 */
function block(text, index) {
  if (text.startsWith('```')) {
    const code = text.replace(/^```.*\n/, '').replace(/\n?```$/, '');
    return h('pre', { key: index, class: 'command', tabIndex: 0 }, h('code', {}, code));
  }
  if (text.startsWith('#')) return h('h3', { key: index }, inline(text.replace(/^#+ */, '')));
  if (text.startsWith('- ')) {
    const items = text.split(/^- /m).slice(1);
    return h(
      'ul',
      { key: index },
      items.map((item) => h('li', { key: item }, inline(item))),
    );
  }
  return h('p', { key: index }, inline(text));
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

/**
 * @param {string} text
 * @returns {ComponentChildren[]}
 */
function inline(text) {
  /** @type {ComponentChildren[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(end, found.index), span(found));
    end = found.index + found[0].length;
  }
  return [...parts, text.slice(end)];
}

/** @param {RegExpExecArray} found */
function span([, code, bold, emphasis, name, target]) {
  if (code !== undefined) return h('code', {}, code);
  if (bold !== undefined) return h('b', {}, bold);
  if (emphasis !== undefined) return h('em', {}, emphasis);
  // Links to other entries stay on this page; links to other documents become text.
  if (target?.startsWith('#')) return h('a', { href: linkTo('health', { entry: target.slice(1) }) }, name);
  return name;
}
