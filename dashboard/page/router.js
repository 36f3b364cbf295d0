// @ts-check The state of the page is the fragment of its address: it can be bookmarked and shared, works with the back
// button, and is never sent to the server. The paths are those of the HTTP API, which may be at the same address.

/** @typedef {'overview' | 'jobs' | 'job' | 'dead-letters' | 'health'} View */

/**
 * `query` selects what the view shows, e.g. `q`, `state`, `range`; `job` is set for the view `job` alone.
 *
 * @typedef {{ view: View, job?: string, query: Readonly<Record<string, string>> }} Route
 */

/** Dispatched when `refine` changes the address, for which browsers fire no event. */
const ROUTE_EVENT = 'labelqueue:route';

/** @type {readonly View[]} */
const PLAIN_VIEWS = ['jobs', 'dead-letters', 'health'];

/**
 * @param {string} fragment of an address, e.g. `#/jobs/cats?range=1h`; unknown fragments show the overview
 * @returns {Route}
 */
function parseRoute(fragment) {
  const [path = '', search = ''] = fragment.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [first, second] = path.split('/').filter(Boolean);
  const query = Object.fromEntries(new URLSearchParams(search));
  if (first === 'jobs' && second !== undefined) return { view: 'job', job: decoded(second), query };
  return { view: PLAIN_VIEWS.find((view) => view === first) ?? 'overview', query };
}

/**
 * The route in the address bar.
 *
 * @returns {Route}
 */
export function currentRoute() {
  return parseRoute(location.hash);
}

/**
 * E.g. `#/jobs/cats?range=1h`; a query without a value is left out. It is the target of a link, too.
 *
 * @param {Route} route
 */
function fragmentOf({ view, job = '', query }) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  const path = view === 'job' ? `jobs/${encodeURIComponent(job)}` : view === 'overview' ? '' : view;
  return `#/${path}${search && `?${search}`}`;
}

/**
 * @param {View} view
 * @param {Record<string, string>} [query]
 */
export function linkTo(view, query = {}) {
  return fragmentOf({ view, query });
}

/**
 * To a job's own view.
 *
 * @param {string} job
 */
export function linkToJob(job) {
  return fragmentOf({ view: 'job', job, query: {} });
}

/**
 * Goes to another view and adds a history entry.
 *
 * @param {View} view
 */
export function goTo(view) {
  location.hash = linkTo(view);
}

/**
 * Changes what the view shows, without a history entry for each typed character.
 *
 * @param {Record<string, string>} changes of the query
 */
export function refine(changes) {
  const route = currentRoute();
  const fragment = fragmentOf({ ...route, query: { ...route.query, ...changes } });
  history.replaceState(null, '', `${location.pathname}${location.search}${fragment}`);
  dispatchEvent(new Event(ROUTE_EVENT));
}

/** @param {() => void} follow called for each change of the address, by link, by key or by the browser */
export function followRoutes(follow) {
  addEventListener('hashchange', follow);
  addEventListener(ROUTE_EVENT, follow);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
