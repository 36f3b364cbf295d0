import { join } from 'node:path';
import { prepareMissing } from '../../setup/prepare.mjs';
import { cxxCompiler, NPM, PYTHON } from '../../setup/prerequisites.mjs';
import { projectAt } from '../../setup/project.mjs';
import type { Step } from '../../setup/step.mjs';
import { installPinned } from '../../setup/steps/pinned-packages.mjs';

const ROOT = join(import.meta.dirname, '../..');
const BUILD = join(import.meta.dirname, 'build-runtime-client.sh');
const PROJECT = projectAt(ROOT);

/**
 * Not among the dependencies of package.json: it would bring node-gyp along, with fifty packages, for
 * one file that a compiler makes as well.
 */
const PACKAGES = {
  'aws-lambda-ric': {
    version: '4.0.2',
    integrity: 'sha512-FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==',
  },
  'node-addon-api': {
    version: '8.5.0',
    integrity: 'sha512-/bRZty2mXUIFY/xU5HLvveNHlswNJej+RnxBjOMkidWfwZzgTbPG1E3K5TOxRLOR+5hX7bSofy8yf1hZevMS8A==',
  },
};

/**
 * AWS's own client of the Lambda Runtime API for Node. Fetched and compiled at the first call, which
 * takes about 40 s; kept with the rest of the toolchain.
 *
 * @returns the path of the module that Node starts with a handler's name as its argument
 * @throws SetupError when a tool is missing, or the network
 */
export async function runtimeClient(): Promise<string> {
  const step: Step = {
    title: "Lambda's runtime client, for tests",
    place: join(PROJECT.toolchain, 'lambda-runtime-client'),
    stamp: { packages: JSON.stringify(PACKAGES), builtBy: 'build-runtime-client.sh 1' },
    needs: [NPM, PYTHON, cxxCompiler(['g++'])],
    bytes: 100e6,
    async make(workshop) {
      const { folder, run, report } = workshop;
      report('fetching');
      const pinned = Object.entries(PACKAGES).map(([name, rest]) => ({ package: name, ...rest }));
      const modules = await installPinned(workshop, pinned, {
        name: 'lambda-runtime-client',
        failure: "npm could not fetch Lambda's runtime client",
        node: process.execPath,
      });
      report('compiling');
      const headers = join(PROJECT.nodeModules, 'node-api-headers/include');
      const work = join(folder, 'work');
      const made = join(modules, 'aws-lambda-ric');
      await run(['sh', BUILD, made, join(modules, 'node-addon-api'), headers, work], {
        name: 'lambda-runtime-client-build',
        failure: "Lambda's runtime client could not be compiled",
        cwd: folder,
      });
      return made;
    },
  };
  await prepareMissing(PROJECT, [step]);
  return join(step.place, 'index.mjs');
}
