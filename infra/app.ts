/** The CDK app that `infra/cdk.ts` has synthesized, for the stage that LABELQUEUE_STAGE names. */
import { existsSync } from 'node:fs';
import { packagePath } from './package-path.ts';
import { stageApp } from './stage-app.ts';
import { readStageConfig } from './stage-config.ts';

const { CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION, LABELQUEUE_STAGE = '' } = process.env;
const env = {
  ...(CDK_DEFAULT_ACCOUNT !== undefined && { account: CDK_DEFAULT_ACCOUNT }),
  ...(CDK_DEFAULT_REGION !== undefined && { region: CDK_DEFAULT_REGION }),
};
const config = readStageConfig(LABELQUEUE_STAGE);
const made = packagePath(config.architecture);
// To destroy a stack takes no package: any folder stands in for it.
const code = existsSync(made) ? made : import.meta.dirname;
stageApp(config, code, env).app.synth();
