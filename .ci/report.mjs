// node .ci/report.mjs REPORT [SECOND]: prints the numbers of tests that passed and failed, and the files with failures, of jest's
// report in JSON. SECOND is the report of a run of those files alone. A test that failed has to pass there: one that is missing or
// skipped has still failed.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [first, second] = process.argv.slice(2).map(filesOf);
const files = [...first.values()].map((file) => afterSecondRun(file, second?.get(file.name)));

const passed = files.flatMap(({ assertionResults }) => assertionResults.filter(hasPassed)).length;
const failed = files.reduce((sum, file) => sum + failuresOf(file), 0);
const failedFiles = files.filter((file) => failuresOf(file) > 0).map(({ name }) => relative('', name));
process.stdout.write(`${[passed, failed, ...failedFiles].join(' ')}\n`);

function filesOf(path) {
  const text = readFileSync(path, 'utf8');
  return new Map((text === '' ? [] : JSON.parse(text).testResults).map((file) => [file.name, file]));
}

function afterSecondRun(file, again) {
  if (again === undefined || failuresOf(file) === 0) return file;
  const passedAgain = new Set(again.assertionResults.filter(hasPassed).map(({ fullName }) => fullName));
  const recovered = file.assertionResults.every(
    ({ status, fullName }) => status !== 'failed' || passedAgain.has(fullName),
  );
  return recovered ? again : file;
}

function hasPassed({ status }) {
  return status === 'passed';
}

/** A file that cannot be loaded, or fails outside its tests, counts as one. */
function failuresOf({ status, assertionResults }) {
  const failures = assertionResults.filter((test) => test.status === 'failed').length;
  return failures === 0 && status === 'failed' ? 1 : failures;
}
