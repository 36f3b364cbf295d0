// @ts-check
import { getJson, RequestFailure } from './api.js';
import { Icon } from './icons.js';
import { count } from './numbers.js';
import { Empty, Waiting } from './panels.js';
import { lastPart, plain } from './plain-text.js';
import { refine } from './router.js';
import { Component, h } from './vendor/preact.js';

/** @import { Gallery as GalleryAnswer, GalleryImage, JobContent } from '../contract/jobs.ts' */

/** @typedef {{ job: string, label: string, content: JobContent | null, settledImages: number }} Props */

/** @typedef {{ answer?: GalleryAnswer, problem?: string | undefined }} State */

const LABELS_SHOWN = 24;
const IMAGES_SHOWN = 24;

/**
 * The images with the highest scores, of all labels or of one.
 *
 * @augments {Component<Props, State>}
 */
export class Gallery extends Component {
  /** @param {Props} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = {};
    this.abort = new AbortController();
  }

  /** @override */
  componentDidMount() {
    this.load();
  }

  /**
   * Reloads for another label and when the content has changed.
   *
   * @override
   * @param {Props} before
   */
  componentDidUpdate({ label, content }) {
    const { props } = this;
    if (label !== props.label || content?.readImages !== props.content?.readImages) this.load();
  }

  /** @override */
  componentWillUnmount() {
    this.abort.abort();
  }

  async load() {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    const { job, label } = this.props;
    const query = new URLSearchParams({ limit: String(IMAGES_SHOWN), ...(label !== '' && { label }) });
    try {
      /** @type {GalleryAnswer} */
      const answer = await getJson(`/api/jobs/${encodeURIComponent(job)}/gallery?${query}`, signal);
      this.setState({ answer, problem: undefined });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      this.setState({ problem: error.message });
    }
  }

  /** @override */
  render() {
    const { label, content } = this.props;
    const { answer, problem } = this.state;
    return [
      content !== null && h(LabelChoice, { label, content }),
      problem !== undefined && h('p', { class: 'faint' }, plain(problem)),
      answer === undefined && problem === undefined && h(Waiting, {}),
      answer?.images.length === 0 && h(Empty, { title: 'No image has been classified yet.' }),
      h(
        'div',
        { class: 'thumbnails' },
        answer?.images.map((image) => h(Thumbnail, { key: image.thumbnail, image })),
      ),
      answer?.isSample && h('p', { class: 'footnote' }, 'From a random sample of the job’s files.'),
    ];
  }
}

/** @param {{ label: string, content: JobContent }} props */
function LabelChoice({ label, content: { labels, moreLabels } }) {
  const choice = (/** @type {string} */ value, /** @type {string} */ text, /** @type {string} */ tally) =>
    h(
      'button',
      {
        key: value,
        type: 'button',
        'aria-pressed': value === label ? 'true' : 'false',
        onClick: () => refine({ label: value }),
      },
      h('bdi', {}, plain(text)),
      h('span', { class: 'tally' }, tally),
    );
  const listed = labels.slice(0, LABELS_SHOWN);
  const all = count(labels.length + moreLabels);
  return h(
    'div',
    { class: 'choices', role: 'group', 'aria-label': 'Label' },
    choice('', 'All labels', all),
    listed.map(({ label: name, images }) => choice(name, name, count(images))),
    labels.length > listed.length &&
      h('span', { class: 'faint' }, `and ${count(labels.length + moreLabels - listed.length)} more`),
  );
}

/** @param {{ image: GalleryImage }} props */
function Thumbnail({ image: { id, url, labels, thumbnail } }) {
  const [best] = labels;
  const name = plain(id);
  const all = labels.map(({ label, score }) => `${plain(label)} ${score.toFixed(2)}`).join('\n');
  return h(
    'figure',
    { title: `${name}\n${plain(url)}\n${all}` },
    h(Picture, { source: thumbnail, text: best ? plain(best.label) : '' }),
    h(
      'figcaption',
      {},
      best && h('span', { class: 'best', dir: 'auto' }, h('b', {}, best.score.toFixed(2)), ' ', plain(best.label)),
      h('span', { class: 'file', dir: 'auto' }, lastPart(name)),
    ),
  );
}

/**
 * A thumbnail, or a placeholder if the image is not available any more.
 *
 * @augments {Component<{ source: string, text: string }, { isMissing: boolean }>}
 */
export class Picture extends Component {
  /** @param {{ source: string, text: string }} props */
  constructor(props) {
    super(props);
    this.state = { isMissing: false };
  }

  /** @override */
  render() {
    const { source, text } = this.props;
    if (this.state.isMissing) {
      return h(
        'span',
        { class: 'no-picture', role: 'img', 'aria-label': 'The picture is not available' },
        h(Icon, { name: 'picture' }),
      );
    }
    const onError = () => this.setState({ isMissing: true });
    return h('img', { src: source, alt: text, width: 240, height: 240, loading: 'lazy', decoding: 'async', onError });
  }
}
