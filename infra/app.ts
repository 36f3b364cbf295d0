/** The CDK app that `infra/cdk.ts` has synthesized, for the stage that LABELQUEUE_STAGE names. */
import { existsSync } from 'node:fs';
import { nodePath, packagePath } from './package/package-path.ts';
import { stageApp } from './stage-app.ts';
import { readStageConfig } from './stage-config.ts';

const { CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION, LABELQUEUE_STAGE = '' } = process.env;
const env = {
  ...(CDK_DEFAULT_ACCOUNT !== undefined && { account: CDK_DEFAULT_ACCOUNT }),
  ...(CDK_DEFAULT_REGION !== undefined && { region: CDK_DEFAULT_REGION }),
};
const config = readStageConfig(LABELQUEUE_STAGE);
// To destroy a stack takes no package: any folder stands in for it.
const whereMade = (path: string) => (existsSync(path) ? path : import.meta.dirname);
const assets = {
  packagePath: whereMade(packagePath(config.architecture)),
  nodePath: whereMade(nodePath(config.architecture)),
};
stageApp(config, assets, env).app.synth();
