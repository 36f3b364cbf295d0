// @ts-check
/** Run with the folder of the tools, an archive and the folder that it was made of: prints what publint and Are The Types Wrong find. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tools = '', archive = '', folder = ''] = process.argv.slice(2);
const { resolve } = createRequire(join(tools, 'from-here.js'));
const { publint } = await import(pathToFileURL(resolve('publint')).href);
const { checkPackage, createPackageFromTarballData } = await import(
  pathToFileURL(resolve('@arethetypeswrong/core')).href
);

const { messages } = await publint({ pkgDir: folder, strict: true });
const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(archive))));
process.stdout.write(JSON.stringify({ publint: messages, types: problems }));
