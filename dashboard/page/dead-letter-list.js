// @ts-check
import { Picture } from './gallery.js';
import { Icon } from './icons.js';
import { counted } from './numbers.js';
import { plain } from './plain-text.js';
import { linkToJob, refine } from './router.js';
import { Ago } from './times.js';
import { h } from './vendor/preact.js';

/** @import { DeadLetterImage, DeadLetterRow } from '../contract/dead-letters.ts' */

/** @param {{ letters: readonly DeadLetterRow[], now: number }} props */
export function LetterList({ letters, now }) {
  if (letters.length === 0) return null;
  return h(
    'ul',
    { class: 'letters' },
    letters.map((letter) => h(Letter, { key: letter.letterId, letter, now })),
  );
}

/** @param {{ letter: DeadLetterRow, now: number }} props */
function Letter({ letter, now }) {
  const { images, moreImages, job, reason, sentAt, unreadableBody } = letter;
  const about = h(
    'div',
    { class: 'letter-about' },
    job !== null && h('a', { href: linkToJob(job) }, h('bdi', {}, plain(job))),
    h('span', { class: 'faint' }, h(Ago, { at: sentAt, now })),
  );
  return h(
    'li',
    { class: 'letter', tabIndex: -1, 'data-row': '' },
    images.map((image, index) => h(LetterImage, { key: image.id, image, reason, about: index === 0 ? about : null })),
    images.length === 0 && h(Unreadable, { reason, body: unreadableBody, about }),
    moreImages > 0 && h('p', { class: 'faint more' }, `and ${counted(moreImages, 'image')} more in this message`),
  );
}

/** @param {{ image: DeadLetterImage, reason: string | null, about: import('./vendor/preact.js').ComponentChildren }} props */
function LetterImage({ image: { id, url, code, message, attempts, thumbnail }, reason, about }) {
  const name = plain(id);
  const address = plain(url);
  return h(
    'div',
    { class: 'letter-image' },
    h('div', { class: 'letter-picture' }, h(Picture, { source: thumbnail, text: '' })),
    h(
      'div',
      { class: 'letter-text' },
      h('p', { class: 'letter-id', dir: 'auto' }, name === address ? address : name),
      name !== address && h('p', { class: 'letter-url faint', dir: 'auto' }, address),
      h(
        'p',
        { class: 'letter-reason' },
        h('button', { type: 'button', class: 'code', title: 'Show only these', onClick: () => refine({ code }) }, code),
        h('span', {}, plain(message || reason || '')),
        h('span', { class: 'faint' }, `${attempts === 1 ? '1 attempt' : `${attempts} attempts`}`),
      ),
    ),
    about,
  );
}

/** @param {{ reason: string | null, body: string | null, about: import('./vendor/preact.js').ComponentChildren }} props */
function Unreadable({ reason, body, about }) {
  return h(
    'div',
    { class: 'letter-image' },
    h('div', { class: 'letter-picture' }, h('span', { class: 'no-picture' }, h(Icon, { name: 'question' }))),
    h(
      'div',
      { class: 'letter-text' },
      h(
        'p',
        { class: 'letter-reason' },
        h(
          'button',
          { type: 'button', class: 'code', title: 'Show only these', onClick: () => refine({ code: 'unreadable' }) },
          'unreadable',
        ),
        h('span', {}, plain(reason ?? 'Malformed message.')),
      ),
      body !== null && h('pre', { class: 'body', tabIndex: 0, 'aria-label': 'Beginning of the body' }, plain(body)),
    ),
    about,
  );
}
