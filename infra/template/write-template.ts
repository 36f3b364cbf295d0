import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { makeFolder } from '../../shared/runtime/make-folder.ts';
import { TemplateStack } from './template-stack.ts';

/**
 * What CloudFormation takes in a request; larger templates must lie in S3.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
export const MAX_TEMPLATE_BYTES = 51_200;

/** The app with the template's stack, not yet synthesized. */
export function templateApp(outdir: string): { app: App; stack: TemplateStack } {
  const app = new App({ outdir, analyticsReporting: false, context: featureFlags });
  return { app, stack: new TemplateStack(app) };
}

/**
 * Writes the template with parameters.
 *
 * @returns its text
 */
export function writeTemplate(path: string): string {
  const outdir = mkdtempSync(join(tmpdir(), 'labelqueue-template-'));
  try {
    const { app, stack } = templateApp(outdir);
    app.synth();
    const template: object = JSON.parse(readFileSync(join(outdir, stack.templateFile), 'utf8'));
    // Without indentation: with it, the template would exceed MAX_TEMPLATE_BYTES.
    const text = `${JSON.stringify(template)}\n`;
    makeFolder(dirname(path));
    writeFileSync(path, text);
    return text;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
