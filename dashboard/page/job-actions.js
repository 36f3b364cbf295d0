// @ts-check
import { post } from './api.js';
import { ConfirmDialog } from './confirm-dialog.js';
import { Icon } from './icons.js';
import { counted } from './numbers.js';
import { Component, h } from './vendor/preact.js';

/** @import { JobDetail } from '../contract/jobs.ts' */
/** @import { Session } from '../contract/session.ts' */

/** @typedef {{ asked: 'cancel' | 'redrive' | undefined, codes: readonly string[] }} State */

/**
 * Sends a job's failed images again, or cancels it. Absent where the server is read-only.
 *
 * @augments {Component<{ detail: JobDetail, session: Session }, State>}
 */
export class JobActions extends Component {
  /** @param {{ detail: JobDetail, session: Session }} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = { asked: undefined, codes: [] };
  }

  /** @override */
  render() {
    const { failedImages, hasEnded, state } = this.props.detail;
    const ask = (/** @type {'cancel' | 'redrive'} */ asked) => () => this.setState({ asked, codes: [] });
    return h(
      'div',
      { class: 'actions' },
      failedImages > 0 &&
        state !== 'cancelled' &&
        h('button', { type: 'button', onClick: ask('redrive') }, h(Icon, { name: 'retry' }), 'Retry failed…'),
      !hasEnded && h('button', { type: 'button', onClick: ask('cancel') }, h(Icon, { name: 'stop' }), 'Cancel…'),
      this.dialog(),
    );
  }

  dialog() {
    const { asked } = this.state;
    const onClose = () => this.setState({ asked: undefined });
    if (asked === 'cancel') return h(ConfirmDialog, { question: this.cancelQuestion(), onClose });
    if (asked === 'redrive') return h(ConfirmDialog, { question: this.redriveQuestion(), onClose }, this.codeChoice());
    return null;
  }

  cancelQuestion() {
    const { detail, session } = this.props;
    const { job, remainingImages } = detail;
    const left = remainingImages === null ? 'The remaining images' : counted(remainingImages, 'image');
    return {
      title: 'Cancel the job?',
      consequence: `${left} will get no outcome. Existing outcomes are kept. A cancelled job cannot be resumed.`,
      expected: job,
      environment: session.environment,
      verb: 'Cancel the job',
      isDestructive: true,
      act: (/** @type {string} */ confirm) => post(`/api/jobs/${encodeURIComponent(job)}/cancel`, { confirm }, session),
    };
  }

  redriveQuestion() {
    const { detail, session } = this.props;
    const { job, failedImages, failedImagesByCode } = detail;
    const { codes } = this.state;
    const chosen = failedImagesByCode.filter(({ code }) => codes.includes(code));
    const images = codes.length === 0 ? failedImages : chosen.reduce((sum, one) => sum + one.images, 0);
    return {
      title: 'Retry failed images?',
      consequence: `${counted(images, 'failed image')} will be sent again, as a first attempt. Their failures and dead letters are removed.`,
      expected: job,
      environment: session.environment,
      verb: `Retry ${counted(images, 'image')}`,
      act: (/** @type {string} */ confirm) =>
        post(`/api/jobs/${encodeURIComponent(job)}/redrive`, { confirm, ...(codes.length > 0 && { codes }) }, session),
    };
  }

  codeChoice() {
    const { codes } = this.state;
    const toggle = (/** @type {string} */ code) => () =>
      this.setState({ codes: codes.includes(code) ? codes.filter((one) => one !== code) : [...codes, code] });
    return h(
      'fieldset',
      {},
      h('legend', {}, 'Only these codes (none selected: all)'),
      this.props.detail.failedImagesByCode.map(({ code, images }) =>
        h(
          'label',
          { key: code, class: 'choice' },
          h('input', { type: 'checkbox', checked: codes.includes(code), onChange: toggle(code) }),
          h('code', {}, code),
          h('span', { class: 'faint' }, counted(images, 'image')),
        ),
      ),
    );
  }
}
