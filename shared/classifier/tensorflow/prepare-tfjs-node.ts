/** What tfjs-node needs before it is loaded; must be imported ahead of it. */
import util from 'node:util';

// tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`
// (tensorflow/tfjs#8425: mended upstream, not released).
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

// TensorFlow greets on standard error at every start; its warnings and errors stay.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
