// @ts-check
import { getJson, post, RequestFailure } from './api.js';
import { ConfirmDialog } from './confirm-dialog.js';
import { LetterList } from './dead-letter-list.js';
import { Icon } from './icons.js';
import { filterOf, LetterFilter, queryOf } from './letter-filter.js';
import { announce } from './live-region.js';
import { count, counted } from './numbers.js';
import { Command, Empty, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { refine } from './router.js';
import { Ago } from './times.js';
import { Component, h } from './vendor/preact.js';

/** @import { Changed } from '../contract/changes.ts' */
/** @import { DeadLetters } from '../contract/dead-letters.ts' */
/** @import { ViewProps } from './overview.js' */

/** Delay after typing: reading the dead letters hides them from other readers for a moment. */
const TYPING_MS = 400;

/** @typedef {{ answer?: DeadLetters, problem?: string | undefined, isLooking: boolean, asked?: 'redrive' | 'delete' | undefined }} State */

/**
 * The dead letters that match the filter, as last read.
 *
 * @augments {Component<ViewProps, State>}
 */
export class DeadLettersView extends Component {
  /** @param {ViewProps} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = { isLooking: false };
    this.abort = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @override */
  componentDidMount() {
    this.look();
  }

  /**
   * @override
   * @param {ViewProps} before
   */
  componentDidUpdate({ route }) {
    if (queryOf(filterOf(route.query)) === queryOf(this.filter())) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), TYPING_MS);
  }

  /** @override */
  componentWillUnmount() {
    clearTimeout(this.timer);
    this.abort.abort();
  }

  filter() {
    return filterOf(this.props.route.query);
  }

  /** @param {{ isFresh?: boolean }} [how] whether to ignore results of a few seconds ago */
  async look({ isFresh = false } = {}) {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.setState({ isLooking: true });
    try {
      /** @type {DeadLetters} */
      const answer = await getJson(`/api/dead-letters?${queryOf(this.filter())}${isFresh ? '&fresh=1' : ''}`, signal);
      this.setState({ answer, isLooking: false, problem: undefined });
      announce(`${counted(answer.matchingMessages, 'dead letter')} shown.`);
      this.askAtOnce(answer);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      this.setState({ isLooking: false, problem: error.message });
    }
  }

  /**
   * Opens the dialog at once for a visitor who followed "Retry all".
   *
   * @param {DeadLetters} answer
   */
  askAtOnce({ matchingMessages }) {
    if (this.props.route.query['ask'] !== 'redrive') return;
    refine({ ask: '' });
    if (matchingMessages > 0) this.setState({ asked: 'redrive' });
  }

  /** @override */
  render() {
    const { answer, problem, isLooking } = this.state;
    const { now, snapshot } = this.props;
    const isCurrent = answer !== undefined && queryOf(answer.filter) === queryOf(this.filter());
    return [
      h(
        'div',
        { class: 'view-head' },
        h('h1', { tabIndex: -1 }, 'Dead letters'),
        h(
          'p',
          { class: 'faint looked' },
          answer !== undefined && ['Updated ', h(Ago, { at: answer.lookedAt, now }), ' '],
          h(
            'button',
            { type: 'button', disabled: isLooking, onClick: () => this.look({ isFresh: true }) },
            h(Icon, { name: 'retry' }),
            isLooking ? 'Looking…' : 'Refresh',
          ),
        ),
      ),
      h(LetterFilter, { filter: this.filter(), answer }),
      problem !== undefined &&
        h('p', { class: 'notice warning', role: 'alert' }, h(Icon, { name: 'alert' }), plain(problem)),
      h(
        'section',
        {
          class: `panel ${isCurrent ? '' : 'stale'}`,
          'aria-label': 'Dead letters',
          'aria-busy': isLooking ? 'true' : 'false',
        },
        this.toolbar(isCurrent),
        answer === undefined
          ? problem === undefined && h(Waiting, {})
          : h(LetterList, { letters: answer.letters, now }),
        answer?.matchingMessages === 0 &&
          h(NoLetters, { isFiltered: answer.lookedAtMessages > 0, waiting: snapshot?.queue.deadMessages ?? 0 }),
      ),
      this.dialog(),
    ];
  }

  /** @param {boolean} isCurrent whether the list matches the filter */
  toolbar(isCurrent) {
    const { answer, isLooking } = this.state;
    if (answer === undefined) return null;
    const { matchingMessages, matchingImages, lookedAtMessages, notLookedAtMessages, letters } = answer;
    const of = matchingMessages < lookedAtMessages ? ` of ${count(lookedAtMessages)}` : '';
    const text = [
      `${count(matchingMessages)}${of} ${lookedAtMessages === 1 ? 'message' : 'messages'}`,
      counted(matchingImages, 'image'),
      letters.length < matchingMessages && `the newest ${count(letters.length)} shown`,
      notLookedAtMessages > 0 && `about ${count(notLookedAtMessages)} more are held by other readers`,
    ];
    return h(
      'div',
      { class: 'toolbar' },
      h('p', { class: 'faint' }, text.filter(Boolean).join(', ')),
      matchingMessages > 0 && this.changes(matchingMessages, isCurrent && !isLooking),
    );
  }

  /**
   * @param {number} messages
   * @param {boolean} isReady
   */
  changes(messages, isReady) {
    if (!this.props.session?.allowsChanges) return null;
    const ask = (/** @type {'redrive' | 'delete'} */ asked) => () => this.setState({ asked });
    return h(
      'div',
      { class: 'actions' },
      h(
        'button',
        { type: 'button', disabled: !isReady, onClick: ask('redrive') },
        h(Icon, { name: 'retry' }),
        `Redrive ${count(messages)}…`,
      ),
      h(
        'button',
        { type: 'button', disabled: !isReady, class: 'risky', onClick: ask('delete') },
        h(Icon, { name: 'trash' }),
        `Delete ${count(messages)}…`,
      ),
    );
  }

  dialog() {
    const { asked, answer } = this.state;
    const { session } = this.props;
    if (asked === undefined || answer === undefined || !session?.allowsChanges) return null;
    const { filter, matchingMessages, matchingImages } = answer;
    const what = `${counted(matchingMessages, 'dead letter')} with ${counted(matchingImages, 'image')}`;
    const question = {
      expected: String(matchingMessages),
      environment: session.environment,
      act: (/** @type {string} */ confirm) => post(`/api/dead-letters/${asked}`, { filter, confirm }, session),
      ...(asked === 'redrive'
        ? {
            title: 'Redrive the filtered dead letters?',
            consequence: `${what} ${matchingMessages === 1 ? 'goes' : 'go'} back to the queue as a first attempt.`,
            verb: `Redrive ${count(matchingMessages)}`,
          }
        : {
            title: 'Delete the filtered dead letters?',
            consequence: `${what} will be deleted. The failure lines of their jobs are kept.`,
            verb: `Delete ${count(matchingMessages)}`,
            isDestructive: true,
          }),
    };
    const onClose = (/** @type {Changed | undefined} */ changed) => {
      this.setState({ asked: undefined });
      if (changed !== undefined) this.look({ isFresh: true });
    };
    return h(ConfirmDialog, { question, onClose });
  }
}

/** @param {{ isFiltered: boolean, waiting: number }} props */
function NoLetters({ isFiltered, waiting }) {
  if (isFiltered) {
    const onClick = () => refine({ q: '', job: '', code: '', host: '' });
    return h(
      Empty,
      { title: 'No dead letter matches the filter.' },
      h('button', { type: 'button', onClick }, 'Show all'),
    );
  }
  if (waiting > 0)
    return h(Empty, { title: 'Other readers hold the dead letters.' }, h('p', {}, 'Refresh in a minute.'));
  return h(
    Empty,
    { title: 'There are no dead letters.' },
    h(
      'p',
      {},
      'Images that cannot be fetched or decoded, and images that failed five times, are listed here. To send the failed images of a job again:',
    ),
    h(Command, { text: 'bin/labelqueue redrive JOB' }),
  );
}
