/** What tfjs-node needs before it is loaded; must be imported ahead of it. */
import util from 'node:util';
import { setTensorflowEnvironment } from '../../contract/tensorflow-environment.ts';

// tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`
// (tensorflow/tfjs#8425: mended upstream, not released).
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

// The binding hands the log level on to those parts of TensorFlow that do not look for the variable
// (`shared/runtime/quiet-tensorflow.cc`).
setTensorflowEnvironment();
