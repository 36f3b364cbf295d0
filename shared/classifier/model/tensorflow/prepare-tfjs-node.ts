/** What tfjs-node needs before it is loaded; must be imported before it. */
import util from 'node:util';
import { setTensorflowEnvironment } from '../../../runtime/tensorflow-environment.ts';

// tfjs-node 4.22 calls two functions that Node 23 removed from `node:util`
// (tensorflow/tfjs#8425: fixed upstream, not released).
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

// The binding passes the log level on to the parts of TensorFlow that do not read the variable
// (`shared/runtime/quiet-tensorflow.cc`).
setTensorflowEnvironment();
