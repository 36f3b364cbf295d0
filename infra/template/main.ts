/** `npm run template`: writes dist/labelqueue.template.json, a CloudFormation template with parameters. */
import { join } from 'node:path';
import { visibleText } from '../../shared/contract/visible-text.ts';
import { writeTemplate } from './write-template.ts';

const FILE = 'dist/labelqueue.template.json';

const text = writeTemplate(join(import.meta.dirname, '../..', FILE));
process.stdout.write(visibleText(`${FILE}: ${(text.length / 1_000).toFixed(0)} kB\n`));
