// @ts-check
// The compiler that packages for Lambda are made with, and the set-up where a machine has none, from PyPI: it compiles for
// each architecture on each, against the glibc that it is asked for. See docs/decisions/cross-compiling.md.

/**
 * The glibc to compile against: Node 24 needs no older one, and Amazon Linux 2023, the system of Lambda's Node 24, has 2.34.
 */
export const GLIBC_VERSION = '2.28';

export const ZIG_VERSION = '0.17.1';

/** By the machine that compiles. @type {Record<string, import('./steps/wheel.mjs').PinnedWheel>} */
export const ZIG_WHEELS = {
  'linux-x64': {
    package: 'ziglang',
    version: ZIG_VERSION,
    tag: 'manylinux_2_12_x86_64',
    sha256: 'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54',
    bytes: 101_083_562,
    unpackedBytes: 247_227_040,
  },
  'linux-arm64': {
    package: 'ziglang',
    version: ZIG_VERSION,
    tag: 'manylinux_2_17_aarch64',
    sha256: 'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e',
    bytes: 98_063_064,
    unpackedBytes: 233_400_800,
  },
};
