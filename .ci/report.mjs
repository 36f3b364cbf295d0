// node .ci/report.mjs REPORT [SECOND]: prints the numbers of tests that passed and failed, and the files with failures, of jest's
// report in JSON. SECOND is the report of a run of those files alone, which replaces theirs.
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2);
const files = new Map();
for (const path of reports) {
  const text = readFileSync(path, 'utf8');
  for (const file of text === '' ? [] : JSON.parse(text).testResults) files.set(file.name, file);
}

const passed = [...files.values()].flatMap(({ assertionResults }) => assertionResults.filter(hasPassed)).length;
const failed = [...files.values()].reduce((sum, file) => sum + failuresOf(file), 0);
const failedFiles = [...files.values()].filter((file) => failuresOf(file) > 0).map(({ name }) => name);
process.stdout.write(`${[passed, failed, ...failedFiles].join(' ')}\n`);

function hasPassed({ status }) {
  return status === 'passed';
}

/** A file that cannot be loaded, or fails outside its tests, counts as one. */
function failuresOf({ status, assertionResults }) {
  const failures = assertionResults.filter((test) => test.status === 'failed').length;
  return failures === 0 && status === 'failed' ? 1 : failures;
}
