/** The state of the page is in the fragment of its URL: it is never sent, and can be kept and shared. */

export type View = 'overview' | 'jobs' | 'job' | 'dead-letters';

/** `query` has what the view shows of its data, e.g. `q`, `state`, `range`; `job` is set for the view `job` alone. */
export type Route = { view: View; job?: string; query: Readonly<Record<string, string>> };

/** @param fragment e.g. `#/jobs/cats?range=1h`; whatever is not known is the overview */
export function parseRoute(fragment: string): Route {
  const [path = '', search = ''] = fragment.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [view, job] = path.split('/');
  const query = Object.fromEntries(new URLSearchParams(search));
  if (view === 'jobs' && job) return { view: 'job', job: decoded(job), query };
  return { view: view === 'jobs' || view === 'dead-letters' ? view : 'overview', query };
}

/** E.g. `#/jobs/cats?range=1h`; a query without a value is left out. */
export function fragmentOf({ view, job = '', query }: Route): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return `#/${pathOf(view, job)}${search && `?${search}`}`;
}

/** Of a job's own view. */
export function jobLink(job: string): string {
  return fragmentOf({ view: 'job', job, query: {} });
}

function pathOf(view: View, job: string): string {
  if (view === 'job') return `jobs/${encodeURIComponent(job)}`;
  return view === 'overview' ? '' : view;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What is in the address bar. */
export function currentRoute(): Route {
  return parseRoute(location.hash);
}

/** Goes to another view; the way back leads here. */
export function goTo(route: Route): void {
  location.hash = fragmentOf(route);
}

/** Changes what the view shows; there is no way back to each letter that was typed. */
export function refine(changes: Record<string, string>): void {
  const route = currentRoute();
  history.replaceState(null, '', fragmentOf({ ...route, query: { ...route.query, ...changes } }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}
