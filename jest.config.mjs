import { setTensorflowEnvironment } from './shared/runtime/tensorflow-environment.ts';

// In a test, `process.env` is a copy that TensorFlow does not see.
setTensorflowEnvironment();

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
  // A worker that runs the model takes a core and half a gigabyte. A third file at once would slow those that wait for one.
  maxWorkers: 2,
};
