// @ts-check

/** @import { ApiError, ApiErrorCode } from '../contract/api-error.ts' */
/** @import { Changed } from '../contract/changes.ts' */
/** @import { Session } from '../contract/session.ts' */

/** A failed request. Its message is shown to the user. */
export class RequestFailure extends Error {
  /**
   * @param {ApiErrorCode | 'unreachable'} code
   * @param {string} message
   * @param {string} [expected] what has to be typed
   */
  constructor(code, message, expected) {
    super(message);
    this.code = code;
    this.expected = expected;
  }
}

/**
 * @template Answer
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 * @throws {RequestFailure}
 */
export async function getJson(path, signal) {
  return answerOf(await sent(path, signal ? { signal } : {}));
}

/** @returns {Promise<Session>} */
export function getSession() {
  return getJson('/api/session');
}

/**
 * Asks the server to change something. After a restart of the server its CSRF token has changed: it is requested again,
 * once.
 *
 * @param {string} path
 * @param {object} body
 * @param {Session} session
 * @returns {Promise<Changed>}
 * @throws {RequestFailure}
 */
export async function post(path, body, session) {
  try {
    return await answerOf(await postOnce(path, body, session));
  } catch (error) {
    if (!(error instanceof RequestFailure) || error.code !== 'csrf') throw error;
    return answerOf(await postOnce(path, body, await getSession()));
  }
}

/**
 * @param {string} path
 * @param {object} body
 * @param {Session} session
 */
function postOnce(path, body, { csrfToken }) {
  const headers = { 'content-type': 'application/json', 'x-labelqueue-csrf': csrfToken };
  return sent(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function sent(path, init) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestFailure('unreachable', "The dashboard's server does not answer. Is it still running?");
  }
}

/** @param {Response} response */
async function answerOf(response) {
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const { error } = /** @type {Partial<ApiError>} */ (body ?? {});
  const { code = 'internal', message = `The server answered with status ${response.status}.`, expected } = error ?? {};
  throw new RequestFailure(code, message, expected);
}
