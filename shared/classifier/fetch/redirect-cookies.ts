/** Maximum number of cookies per image. */
const MAX_COOKIES = 50;
/** RFC 6265, 6.1: the bytes that a user agent should support per cookie. */
const MAX_COOKIE_CHARS = 4_096;
/** Maximum length of the `Cookie` header: servers reject more than about 8 kB of headers. */
const MAX_COOKIE_HEADER_CHARS = 8_192;

type Cookie = { name: string; value: string; host: string; path: string; secure: boolean };

/** `name=value` as parsed by RFC 6265, 5.2; control characters would end the header line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a cookie must not contain these.
const PAIR = /^\s*(?<name>[^=;\s\u0000-\u001f\u007f-\uffff]+)\s*=\s*(?<value>[^;\u0000-\u001f\u007f-\uffff]*)/;
const LOCALHOST_LIKE = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * The cookies of one image's redirects: some servers set a cookie and redirect to the same address, forever if the cookie is not
 * sent back. Cookies are sent only to the exact host that set them, whatever their `Domain` is, so no public suffix list is
 * needed; and they are dropped after the image.
 */
export class RedirectCookies {
  readonly #cookies = new Map<string, Cookie>();

  /** @param setCookie the `Set-Cookie` headers of a response from `url` */
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

/** The value of an attribute, empty when it has none; undefined when the attribute is absent. */
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
