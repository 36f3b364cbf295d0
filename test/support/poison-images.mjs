/**
 * Preloaded into a worker (`--import`), it makes images that end in one of these words kill the process: the
 * moment their bytes are hashed, which the decode stage does, the process aborts, hangs or eats all
 * its memory. Unknown images can crash native decoders like that.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const DEATHS = {
  '#ABORT': () => process.abort(),
  '#HANG': () => {
    for (;;);
  },
  '#EXHAUST': () => {
    const hoard = [];
    for (;;) hoard.push(new Array(1_000_000).fill(hoard.length + 0.5));
  },
};

const { createHash } = crypto;
crypto.createHash = (...options) => {
  const hash = createHash(...options);
  /** @type {any} */ (hash).update = (/** @type {any} */ data, /** @type {any} */ encoding) => {
    if (Buffer.isBuffer(data)) dieOf(data.subarray(-16).toString('latin1'));
    return crypto.Hash.prototype.update.call(hash, data, encoding);
  };
  return hash;
};
syncBuiltinESMExports();

/** @param {string} end of an image */
function dieOf(end) {
  for (const [word, die] of Object.entries(DEATHS)) if (end.endsWith(word)) die();
}
