// TensorFlow's chatter would bury the tests' own output.
process.env.TF_CPP_MIN_LOG_LEVEL = '2';

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
  modulePathIgnorePatterns: ['<rootDir>/.labelqueue/', '<rootDir>/dist/'],
  testTimeout: 60_000,
  // A worker that runs the model takes a core and half a gigabyte.
  maxWorkers: 2,
};
