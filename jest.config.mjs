import { totalmem } from 'node:os';
import { setTensorflowEnvironment } from './shared/runtime/tensorflow-environment.ts';

// In a test, `process.env` is a copy that TensorFlow does not see.
setTensorflowEnvironment();

/** A container may have less than its machine; 0 without a limit. */
const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
/** A file of tests with the processes that it starts: the model takes half a gigabyte in each. */
const BYTES_PER_FILE = 4e9;

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // A package holds the binaries of Lambda's Linux, and is made there alone.
  testPathIgnorePatterns: process.platform === 'linux' ? [] : ['/test/infra/(cdk|cloudformation)\\.test\\.ts$'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' }, experimental: { keepImportAttributes: true } } },
    ],
  },
  // What the sample apps import is not installed here.
  moduleNameMapper: { '^labelqueue/cdk$': '<rootDir>/infra/index.ts' },
  modulePathIgnorePatterns: ['<rootDir>/.labelqueue/', '<rootDir>/dist/'],
  testSequencer: '<rootDir>/test/support/longest-first.ts',
  testTimeout: 60_000,
  // A worker that runs the model takes a core. A third file uses the cores while others wait for timeouts and processes.
  maxWorkers: Math.max(2, Math.min(3, Math.floor(memoryBytes / BYTES_PER_FILE))),
};
