/** A server that wants more than this is not asking for a cookie. */
const MAX_COOKIES = 50;
/** RFC 6265, 6.1: what a user agent should keep of one cookie. */
const MAX_COOKIE_CHARS = 4_096;
/** Of a `Cookie` header: servers refuse more than about 8 kB of headers. */
const MAX_COOKIE_HEADER_CHARS = 8_192;

type Cookie = { name: string; value: string; host: string; path: string; secure: boolean };

/** `name=value` as RFC 6265, 5.2 takes it apart; control characters would end the header line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a cookie must not have.
const PAIR = /^\s*(?<name>[^=;\s\u0000-\u001f\u007f-\uffff]+)\s*=\s*(?<value>[^;\u0000-\u001f\u007f-\uffff]*)/;
const LOCALHOST_LIKE = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * The cookies of one image's redirects: some servers set one, redirect to the same address, and redirect for ever when
 * it does not come back. They are given back to the very host that set them and no other, whatever their `Domain`
 * says, so that no list of public suffixes is needed; and they end with the image.
 */
export class RedirectCookies {
  readonly #cookies = new Map<string, Cookie>();

  /** @param setCookie the `Set-Cookie` headers of an answer from `url` */
  keep(url: URL, setCookie: string | readonly string[] | undefined): void {
    for (const line of [setCookie ?? []].flat()) {
      const cookie = line.length <= MAX_COOKIE_CHARS ? parse(line, url) : undefined;
      if (cookie === undefined) continue;
      const key = `${cookie.name}\n${cookie.host}\n${cookie.path}`;
      this.#cookies.delete(key);
      if (!isExpired(line) && this.#cookies.size < MAX_COOKIES) this.#cookies.set(key, cookie);
    }
  }

  /** The `Cookie` header for `url`, or undefined when there is none. */
  headerFor(url: URL): string | undefined {
    const pairs = [...this.#cookies.values()]
      .filter((cookie) => isFor(cookie, url))
      // RFC 6265, 5.4: longer paths first.
      .sort((one, other) => other.path.length - one.path.length)
      .map(({ name, value }) => `${name}=${value}`);
    const header = pairs.join('; ');
    return header === '' || header.length > MAX_COOKIE_HEADER_CHARS ? undefined : header;
  }
}

function parse(line: string, url: URL): Cookie | undefined {
  const { name, value } = PAIR.exec(line)?.groups ?? {};
  if (name === undefined || value === undefined) return undefined;
  const path = attribute(line, 'path');
  return {
    name,
    value: value.trim(),
    host: url.hostname,
    path: path?.startsWith('/') ? path : defaultPath(url.pathname),
    secure: attribute(line, 'secure') !== undefined,
  };
}

/** An attribute's value, empty when it has none; undefined when it is not there. */
function attribute(line: string, wanted: string): string | undefined {
  for (const part of line.split(';').slice(1)) {
    const [name = '', ...value] = part.split('=');
    if (name.trim().toLowerCase() === wanted) return value.join('=').trim();
  }
  return undefined;
}

/** RFC 6265, 5.1.4: the directory of the page. */
function defaultPath(pathname: string): string {
  return pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')));
}

function isExpired(line: string): boolean {
  const maxAge = attribute(line, 'max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  return Date.parse(attribute(line, 'expires') ?? '') <= Date.now();
}

function isFor({ host, path, secure }: Cookie, { hostname, protocol, pathname }: URL): boolean {
  if (host !== hostname) return false;
  if (secure && protocol !== 'https:' && !LOCALHOST_LIKE.test(hostname)) return false;
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}
