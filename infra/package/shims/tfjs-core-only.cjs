/**
 * In place of `@tensorflow/tfjs`: the core, which is all that a SavedModel needs. The layers, the
 * converter, the data API and the browser's backends would double the time that the code takes to load;
 * the worker imports layers and converter by their own names once it has a model for them.
 *
 * CommonJS as tfjs-node is: an ES module would be converted anew for each of the 150 kernels that
 * require it.
 */
const core = require('@tensorflow/tfjs-core');

/** tfjs-node's callbacks for training inherit from it; nobody trains here. */
class CustomCallback {}

module.exports = Object.assign({}, core, { CustomCallback, registerCallbackConstructor() {}, version: {} });
