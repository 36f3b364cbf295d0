import { App, type AppProps, type Environment, Tags } from 'aws-cdk-lib';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { LabelqueueStack } from './labelqueue-stack.ts';
import type { StageConfig } from './stage-config.ts';

/** The stack of a stage; `labelqueue --stack` takes this name. */
export function stackNameOf(stage: string): string {
  return `labelqueue-${stage}`;
}

/**
 * A CDK app with the stack of one stage.
 *
 * @param packagePath of the zip that `npm run package` makes
 * @param env undefined account and region make a template for any of them
 */
export function stageApp(
  config: StageConfig,
  packagePath: string,
  env: Environment,
  props: AppProps = {},
): { app: App; stack: LabelqueueStack } {
  const app = new App({ ...props, context: { ...featureFlags, ...props.context } });
  const stack = new LabelqueueStack(app, stackNameOf(config.stage), { config, packagePath, env });
  Tags.of(app).add('application', 'labelqueue');
  Tags.of(app).add('stage', config.stage);
  return { app, stack };
}
