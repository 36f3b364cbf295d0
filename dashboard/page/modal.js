// @ts-check
import { Component, createRef, h } from './vendor/preact.js';

/** @import { ComponentChildren } from './vendor/preact.js' */

/**
 * A dialog that has the focus until it is closed; then whoever had it before has it again.
 *
 * @augments {Component<{ title: string, onClose: () => void, children?: ComponentChildren }>}
 */
export class Modal extends Component {
  /** @type {import('./vendor/preact.js').RefObject<HTMLDialogElement | null>} */
  dialog = createRef();

  /** @override */
  componentDidMount() {
    this.dialog.current?.showModal();
  }

  /** @override */
  render() {
    const { title, onClose, children } = this.props;
    return h(
      'dialog',
      { ref: this.dialog, 'aria-labelledby': 'dialog-title', onClose },
      h('h2', { id: 'dialog-title' }, title),
      children,
    );
  }
}
