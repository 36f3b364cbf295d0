/** The CDK app that `infra/cdk.ts` has synthesized, for the stage that LABELQUEUE_STAGE names. */
import { PACKAGE } from './package-path.ts';
import { stageApp } from './stage-app.ts';
import { readStageConfig } from './stage-config.ts';

const { CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION, LABELQUEUE_STAGE = '' } = process.env;
const env = {
  ...(CDK_DEFAULT_ACCOUNT !== undefined && { account: CDK_DEFAULT_ACCOUNT }),
  ...(CDK_DEFAULT_REGION !== undefined && { region: CDK_DEFAULT_REGION }),
};
stageApp(readStageConfig(LABELQUEUE_STAGE), PACKAGE, env).app.synth();
