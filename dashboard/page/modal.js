// @ts-check
import { Component, createRef, h } from './vendor/preact.js';

/** @import { ComponentChildren } from './vendor/preact.js' */

/**
 * A dialog that keeps the focus until it is closed, and then restores it.
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
