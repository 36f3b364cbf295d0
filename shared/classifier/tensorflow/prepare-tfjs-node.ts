/** What tfjs-node needs before it is loaded; must be imported ahead of it. */
import util from 'node:util';

// tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`
// (tensorflow/tfjs#8425: mended upstream, not released).
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

// TensorFlow greets on standard error and reports what it does there; its errors stay. The binding hands the level on to
// those parts of TensorFlow that do not look for the variable (`setup/steps/quiet-tensorflow.cc`).
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
