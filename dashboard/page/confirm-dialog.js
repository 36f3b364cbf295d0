// @ts-check
import { RequestFailure } from './api.js';
import { EnvironmentBadge } from './environment-badge.js';
import { announce } from './live-region.js';
import { Modal } from './modal.js';
import { plain } from './plain-text.js';
import { Component, h } from './vendor/preact.js';

/** @import { Changed } from '../contract/changes.ts' */
/** @import { Environment } from '../contract/session.ts' */
/** @import { ComponentChildren } from './vendor/preact.js' */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} consequence what happens, with the count
 * @property {string} expected what has to be typed
 * @property {Environment} environment in which it happens
 * @property {string} verb on the button
 * @property {boolean} [isDestructive]
 * @property {(typed: string) => Promise<Changed>} act
 */

/** @typedef {{ typed: string, expected: string, isBusy: boolean, problem: string, changed?: Changed }} State */

/**
 * Asks for confirmation before a change: the button is enabled once the count or the name is typed.
 *
 * @augments {Component< { question: Question, onClose: (changed: Changed | undefined) => void, children?:
 *   ComponentChildren }, State >}
 */
export class ConfirmDialog extends Component {
  /** @param {{ question: Question, onClose: (changed: Changed | undefined) => void }} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = { typed: '', expected: props.question.expected, isBusy: false, problem: '' };
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    const { typed, expected, isBusy } = this.state;
    if (isBusy || typed.trim() !== expected) return;
    this.setState({ isBusy: true, problem: '' });
    try {
      const changed = await this.props.question.act(typed.trim());
      this.setState({ changed, isBusy: false });
      announce(changed.text);
    } catch (error) {
      this.setState({ isBusy: false, ...problemOf(error, expected) });
    }
  }

  /** @override */
  render() {
    const { question, children } = this.props;
    const { changed } = this.state;
    const onClose = () => this.props.onClose(changed);
    if (changed !== undefined) return h(Modal, { title: 'Done', onClose }, h(Done, { text: changed.text, onClose }));
    return h(
      Modal,
      { title: question.title, onClose },
      h(
        'form',
        { onSubmit: (/** @type {Event} */ event) => this.submit(event) },
        h('p', {}, plain(question.consequence)),
        h(EnvironmentBadge, { environment: question.environment }),
        children,
        this.confirmation(),
        this.buttons(onClose),
      ),
    );
  }

  confirmation() {
    const { typed, expected, problem } = this.state;
    const onInput = (/** @type {Event} */ { currentTarget }) =>
      this.setState({ typed: /** @type {HTMLInputElement} */ (currentTarget).value });
    return [
      h('label', { for: 'typed' }, 'To continue, type ', h('b', { class: 'expected' }, h('bdi', {}, expected))),
      h('input', {
        id: 'typed',
        autocomplete: 'off',
        spellcheck: false,
        value: typed,
        onInput,
        'aria-describedby': 'problem',
      }),
      h('p', { id: 'problem', class: 'problem', role: 'alert' }, plain(problem)),
    ];
  }

  /** @param {() => void} onClose */
  buttons(onClose) {
    const { verb, isDestructive } = this.props.question;
    const { typed, expected, isBusy } = this.state;
    return h(
      'div',
      { class: 'dialog-buttons' },
      h('button', { type: 'button', onClick: onClose }, 'Back'),
      h(
        'button',
        {
          type: 'submit',
          class: isDestructive ? 'destructive' : 'primary',
          disabled: isBusy || typed.trim() !== expected,
        },
        isBusy ? 'Working…' : verb,
      ),
    );
  }
}

/** @param {{ text: string, onClose: () => void }} props */
function Done({ text, onClose }) {
  return [
    h('p', {}, plain(text)),
    h('div', { class: 'dialog-buttons' }, h('button', { type: 'button', class: 'primary', onClick: onClose }, 'Close')),
  ];
}

/**
 * @param {unknown} error
 * @param {string} expected
 */
function problemOf(error, expected) {
  if (!(error instanceof RequestFailure)) throw error;
  return { problem: error.message, expected: error.expected ?? expected };
}
