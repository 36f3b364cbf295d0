// @ts-check
// One set-up at a time in a project. The lock is a symbolic link whose target names its holder: it is
// made in one step, holder included, and is worth nothing once that process is gone.

import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from './process-identity.mjs';

const POLL_MS = 200;

/**
 * Waits until the lock is ours.
 *
 * @param {string} path
 * @param {object} options
 * @param {AbortSignal} options.signal
 * @param {(holder: string) => void} options.onWait  called once, when another process holds it
 * @returns {Promise<() => void>} what releases it
 * @throws what the signal was raised with
 */
export async function takeLock(path, { signal, onWait }) {
  const self = identityOf(process.pid) ?? `${process.pid}`;
  let told = false;
  while (!claim(path, self)) {
    const holder = holderOf(path);
    if (holder === undefined || (!isRunning(holder) && removeAbandoned(path, self))) continue;
    if (!told) onWait(holder);
    told = true;
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return () => {
    if (holderOf(path) === self) rmSync(path);
  };
}

/**
 * @param {string} path
 * @param {string} self
 */
function claim(path, self) {
  try {
    symlinkSync(self, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Only who has claimed the removal may remove: two processes that both saw the same dead holder would
 * else remove each other's fresh lock.
 *
 * @param {string} path
 * @param {string} self
 * @returns {boolean} false when another process is about to do it
 */
function removeAbandoned(path, self) {
  const removal = `${path}.removal`;
  if (!claim(removal, self)) {
    removeIfAbandoned(removal);
    return false;
  }
  removeIfAbandoned(path);
  rmSync(removal);
  return true;
}

/** @param {string} path */
function removeIfAbandoned(path) {
  const holder = holderOf(path);
  if (holder !== undefined && !isRunning(holder)) rmSync(path, { force: true });
}

/**
 * @param {string} path
 * @returns {string | undefined} undefined when it has just been released
 */
function holderOf(path) {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
