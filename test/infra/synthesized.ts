import { Template } from 'aws-cdk-lib/assertions';
import { stageApp } from '../../infra/stage-app.ts';
import { stageConfig } from '../../infra/stage-config.ts';

/** Any folder does for an asset whose content no test of the template looks at. */
const ANY_ASSETS = { packagePath: import.meta.dirname, nodePath: import.meta.dirname };

/** The stack of a stage, not yet synthesized. */
export function stageUnderTest(config: object = {}, outdir?: string) {
  return stageApp(stageConfig('test', config), ANY_ASSETS, {}, outdir === undefined ? {} : { outdir });
}

/** What CloudFormation would be given for a stage with this configuration. */
export function templateOf(config: object = {}): Template {
  return Template.fromStack(stageUnderTest(config).stack);
}
