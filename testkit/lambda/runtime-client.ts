import { join } from 'node:path';
import { installPinned } from '../../infra/package/lambda-toolchain.ts';
import { prepareMissing, type Step } from '../../setup/prepare.mjs';
import { projectAt } from '../../setup/project.mjs';
import { runTool } from '../../setup/tool.mjs';

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
    bytes: 100e6,
    async make(staging) {
      const pinned = Object.entries(PACKAGES).map(([name, rest]) => ({ name, ...rest }));
      await installPinned(staging, pinned, "npm could not fetch Lambda's runtime client");
      const modules = join(staging, 'node_modules');
      const headers = join(PROJECT.nodeModules, 'node-api-headers/include');
      const work = join(staging, 'work');
      const made = join(modules, 'aws-lambda-ric');
      await runTool(['sh', BUILD, made, join(modules, 'node-addon-api'), headers, work], {
        failure: "Lambda's runtime client could not be compiled",
        cwd: staging,
      });
      return made;
    },
  };
  await prepareMissing(PROJECT, [step]);
  return join(step.place, 'index.mjs');
}
