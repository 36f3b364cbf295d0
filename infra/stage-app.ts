import { App, type AppProps, type Environment, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { LabelqueueStack, type LabelqueueStackProps } from './labelqueue-stack.ts';
import { type StageConfig, stageTags } from './stage-config.ts';

/** The stack of a stage; `labelqueue --stack` takes this name. */
export function stackNameOf(stage: string): string {
  return `labelqueue-${stage}`;
}

/**
 * A CDK app with the stack of one stage.
 *
 * @param assets the zips that `npm run package` makes
 * @param env undefined account and region make a template for any of them
 */
export function stageApp(
  config: StageConfig,
  { packagePath, nodePath }: Pick<LabelqueueStackProps, 'packagePath' | 'nodePath'>,
  env: Environment,
  props: AppProps = {},
): { app: App; stack: LabelqueueStack } {
  const app = new App({ ...props, context: { ...featureFlags, ...props.context } });
  const { terminationProtection = false } = config;
  const stack = new LabelqueueStack(app, stackNameOf(config.stage), {
    ...{ config, packagePath, nodePath, env, terminationProtection },
  });
  for (const [key, value] of Object.entries(stageTags(config))) {
    Tags.of(app).add(key, value);
  }
  boundRoles(stack, config);
  return { app, stack };
}

/** Some organizations require a boundary on each role. */
function boundRoles(stack: LabelqueueStack, { permissionsBoundary }: StageConfig): void {
  if (permissionsBoundary === undefined) return;
  PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', permissionsBoundary));
}
