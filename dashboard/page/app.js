// @ts-check
import { getSession, RequestFailure } from './api.js';
import { DeadLettersView } from './dead-letters-view.js';
import { HealthView } from './health-view.js';
import { JobView } from './job-view.js';
import { JobsView } from './jobs-view.js';
import { KeysDialog, listenToKeys } from './keyboard.js';
import { announce } from './live-region.js';
import { Banner, Problems } from './notices.js';
import { count } from './numbers.js';
import { Overview } from './overview.js';
import { plain } from './plain-text.js';
import { rangeOf } from './range-control.js';
import { currentRoute, followRoutes } from './router.js';
import { Footer, TopBar } from './shell.js';
import { Stream } from './stream.js';
import { Component, h } from './vendor/preact.js';

/** @import { Snapshot } from '../contract/events.ts' */
/** @import { JobDetail } from '../contract/jobs.ts' */
/** @import { History } from '../contract/queue.ts' */
/** @import { Session } from '../contract/session.ts' */
/** @import { Route } from './router.js' */
/** @import { Link } from './shell.js' */

/**
 * @typedef {object} State
 * @property {Route} route
 * @property {Link} link
 * @property {number} now time of the server, which advances between events
 * @property {boolean} areKeysShown
 * @property {string | undefined} [refusal] why the server gives nothing
 * @property {Session} [session]
 * @property {Snapshot} [snapshot]
 * @property {History} [history]
 * @property {JobDetail | undefined} [job] of the view's job
 * @property {string | undefined} [missingJob]
 */

const SECOND_MS = 1_000;

/**
 * The page: the data from the server, and the view in the address.
 *
 * @augments {Component<{}, State>}
 */
export class App extends Component {
  /** @param {{}} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = {
      route: currentRoute(),
      link: { state: 'connecting', sinceAt: Date.now() },
      now: Date.now(),
      areKeysShown: false,
    };
    /** Whether the view differs from the one drawn last. */
    this.isArriving = false;
    this.snapshotAge = { at: Date.now(), arrivedAt: performance.now() };
    this.stream = new Stream({
      onSnapshot: (snapshot) => this.take(snapshot),
      onHistory: (history) => this.setState({ history }),
      onJob: (job) => this.setState({ job }),
      onJobMissing: (missingJob) => this.setState({ missingJob }),
      onConnection: (isConnected) => this.connectionChanged(isConnected),
    });
  }

  /** @override */
  componentDidMount() {
    followRoutes(() => this.routeChanged());
    listenToKeys(() => this.setState({ areKeysShown: true }));
    this.follow(this.state.route);
    this.askForSession();
    setInterval(() => this.setState({ now: this.serverTime() }), SECOND_MS);
  }

  async askForSession() {
    try {
      this.setState({ session: await getSession(), refusal: undefined });
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      // The stream reports an unreachable server.
      if (error.code !== 'unreachable') this.setState({ refusal: error.message });
    }
  }

  /** @param {Route} route */
  follow({ query, job }) {
    this.stream.follow(rangeOf(query['range']), job);
  }

  routeChanged() {
    const before = this.state.route;
    const route = currentRoute();
    this.setState({ route, ...(route.job !== before.job && { job: undefined, missingJob: undefined }) });
    this.follow(route);
    this.isArriving ||= route.view !== before.view || route.job !== before.job;
  }

  /**
   * Scrolls to the top of the view and announces it to screen readers. Runs together with rendering, so that keys work
   * at once.
   */
  arrive() {
    this.isArriving = false;
    scrollTo(0, 0);
    announce(titleOf(this.state.route));
    document.querySelector('h1')?.focus({ preventScroll: true });
  }

  /** @param {Snapshot} snapshot */
  take(snapshot) {
    this.snapshotAge = { at: snapshot.at, arrivedAt: performance.now() };
    announceConnections(this.state.snapshot, snapshot);
    this.setState({ snapshot, now: snapshot.at });
  }

  serverTime() {
    return this.snapshotAge.at + performance.now() - this.snapshotAge.arrivedAt;
  }

  /** @param {boolean} isConnected */
  connectionChanged(isConnected) {
    const { link } = this.state;
    if (isConnected === (link.state === 'live')) return;
    if (isConnected) {
      if (link.state === 'lost') announce('The dashboard is connected again.');
      this.setState({ link: { state: 'live', sinceAt: Date.now() } });
      // It may be a different server, or the first response.
      this.askForSession();
    } else if (link.state !== 'lost') {
      announce("The dashboard's server does not answer.");
      this.setState({ link: { state: 'lost', sinceAt: Date.now() } });
      this.askForSession();
    }
  }

  /** @override */
  componentDidUpdate() {
    if (this.isArriving) this.arrive();
    const { route, snapshot } = this.state;
    const waiting = snapshot?.queue.waitingMessages ?? null;
    const title = `${waiting === null ? '' : `${count(waiting)} waiting · `}${titleOf(route)} · labelqueue`;
    if (document.title !== title) document.title = title;
  }

  /** @override */
  render() {
    const { route, link, snapshot, session, now, refusal, areKeysShown } = this.state;
    const onHelp = () => this.setState({ areKeysShown: true });
    return [
      h(TopBar, {
        key: 'top',
        view: route.view,
        link,
        onHelp,
        ...(snapshot && { snapshot }),
        ...(session && { session }),
      }),
      h(
        'main',
        { key: 'main', id: 'main', tabIndex: -1 },
        h(Banner, { link, snapshot, now, refusal }),
        snapshot && h(Problems, { problems: snapshot.problems, now, view: route.view }),
        this.view(),
      ),
      h(Footer, { key: 'footer', session }),
      areKeysShown && h(KeysDialog, { key: 'keys', onClose: () => this.setState({ areKeysShown: false }) }),
    ];
  }

  view() {
    const { route, snapshot, history, session, now, job, missingJob } = this.state;
    const props = { route, snapshot, history, session, now };
    switch (route.view) {
      case 'jobs':
        return h(JobsView, props);
      case 'job':
        return h(JobView, { ...props, key: route.job, detail: job, isMissing: missingJob === route.job });
      case 'dead-letters':
        return h(DeadLettersView, props);
      case 'health':
        return h(HealthView, props);
      default:
        return h(Overview, props);
    }
  }
}

/**
 * @param {Snapshot | undefined} before
 * @param {Snapshot} after
 */
function announceConnections(before, after) {
  for (const [name, text] of /** @type {const} */ ([
    ['sqs', 'SQS'],
    ['s3', 'S3'],
  ])) {
    const wasAway = before?.connections[name].state === 'away';
    const isAway = after.connections[name].state === 'away';
    if (isAway !== wasAway) announce(isAway ? `${text} does not answer.` : `${text} answers again.`);
  }
}

/** @param {Route} route */
function titleOf({ view, job = '' }) {
  const titles = {
    overview: 'Overview',
    jobs: 'Jobs',
    job: plain(job),
    'dead-letters': 'Dead letters',
    health: 'Health',
  };
  return titles[view];
}
