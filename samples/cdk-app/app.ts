/** `npx cdk deploy --context package=classify.zip`: the zip is that of a release, or of `npm run package`. */
import { App } from 'aws-cdk-lib';
import { LambdaCode } from 'labelqueue/cdk';
import { ImagesStack } from './images-stack.ts';

export const app = new App();
const path: string = app.node.tryGetContext('package') ?? 'classify.zip';
new ImagesStack(app, 'Images', { code: LambdaCode.fromPath(path) });
