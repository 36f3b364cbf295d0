import { hash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isFromAnotherOrigin, isLoopbackName, isSameSecret, parseHost } from '../../shared/contract/web-origin.ts';
import { ApiFailure } from './api-failure.ts';

/** Wildcard addresses. */
const ALL_ADDRESSES = new Set(['0.0.0.0', '::']);

/** The header that carries the session's CSRF token. */
export const CSRF_HEADER = 'x-labelqueue-csrf';

export type AccessOptions = {
  /** The host that the server listens on: a name or an address. */
  host: string;
  /** The token that each request must have; undefined if only this machine can reach the server. */
  token: string | undefined;
  allowsChanges: boolean;
};

/** The parts of a request that are checked. */
export type CheckedRequest = { method: string; path: string; headers: IncomingHttpHeaders };

/**
 * Access checks of the dashboard. A page of the web has a Host (DNS rebinding), an Origin or a Sec-Fetch-Site that
 * gives it away, has no CSRF token, and can frame nothing (see `security-headers.ts`).
 */
export class Access {
  readonly #options: AccessOptions;
  /** Pages of other origins cannot read it. It is new at each start. */
  readonly csrfToken = randomBytes(24).toString('base64url');
  /** The value of the cookie, so that the token itself is not stored by browsers. */
  readonly #cookieSecret: string;
  readonly #cookieName: string;

  constructor(options: AccessOptions) {
    this.#options = options;
    const { token = '' } = options;
    this.#cookieSecret = hash('sha256', `labelqueue dashboard\n${token}`, 'base64url');
    // Cookies ignore ports: two dashboards on one machine need different names.
    this.#cookieName = `labelqueue-${this.#cookieSecret.slice(0, 8)}`;
  }

  /** @throws {ApiFailure} for a refused request */
  check({ method, path, headers }: CheckedRequest): void {
    this.#checkHost(headers.host);
    if (isFromAnotherOrigin(headers) && !isVisit(method, path, headers)) {
      throw new ApiFailure('origin-not-allowed', 'expected a request of a page of this server');
    }
    if (path !== '/healthz' && !this.#hasToken(headers)) {
      throw new ApiFailure(
        'token-required',
        'expected the token: open the address with ?token=… that the command printed, or send `Authorization: Bearer TOKEN`',
      );
    }
    if (method !== 'GET' && method !== 'HEAD') this.#checkChange(headers);
  }

  /**
   * The cookie for a visitor who has the token in the address.
   *
   * @returns undefined when it is not the token
   */
  cookieFor(given: string): string | undefined {
    const { token } = this.#options;
    if (token === undefined || !isSameSecret(given, token)) return undefined;
    return `${this.#cookieName}=${this.#cookieSecret}; Path=/; HttpOnly; SameSite=Strict`;
  }

  #checkHost(host: string | undefined): void {
    const { name } = parseHost(host) ?? {};
    if (name !== undefined && this.#isOwnName(name)) return;
    const own = this.#options.host;
    throw new ApiFailure('host-not-allowed', `expected the Host 127.0.0.1, localhost or ${own}, got another one`);
  }

  #isOwnName(name: string): boolean {
    const { host } = this.#options;
    const bare = name.replaceAll(/[[\]]/g, '');
    if (isLoopbackName(name) || bare === host.toLowerCase()) return true;
    // DNS rebinding works with names, not with addresses.
    return ALL_ADDRESSES.has(host) && (isIP(bare) !== 0 || bare === hostname().toLowerCase());
  }

  #hasToken({ authorization, cookie }: IncomingHttpHeaders): boolean {
    const { token } = this.#options;
    if (token === undefined) return true;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (bearer !== undefined) return isSameSecret(bearer, token);
    return cookieValues(cookie, this.#cookieName).some((value) => isSameSecret(value, this.#cookieSecret));
  }

  #checkChange(headers: IncomingHttpHeaders): void {
    if (!this.#options.allowsChanges) {
      throw new ApiFailure(
        'read-only',
        'this dashboard is read-only: to change anything, start it with --allow-changes',
      );
    }
    const csrf = headers[CSRF_HEADER];
    if (typeof csrf !== 'string' || !isSameSecret(csrf, this.csrfToken)) {
      throw new ApiFailure(
        'csrf',
        `expected the header ${CSRF_HEADER} with the token of /api/session: reload the page`,
      );
    }
    if (!/^application\/json *(;|$)/i.test(headers['content-type'] ?? '')) {
      throw new ApiFailure('bad-request', 'expected the content type application/json');
    }
  }
}

/** A link from another page: it opens the dashboard, and the other page learns nothing. */
function isVisit(method: string, path: string, headers: IncomingHttpHeaders): boolean {
  const { origin, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  return method === 'GET' && path === '/' && origin === undefined && mode === 'navigate' && destination === 'document';
}

function cookieValues(cookie: string | undefined, name: string): string[] {
  const pairs = (cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}
