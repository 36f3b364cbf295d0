import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce } from './install-once.ts';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';

/** A Java program that goes into a folder of its own, with all that it needs. */
export type MavenPackage = {
  group: string;
  artifact: string;
  version: string;
  /** Of a line per file, as `sha256sum *.jar` prints them. */
  sha256: string;
};

/** An SQS in memory, in Scala. */
export const ELASTICMQ: MavenPackage = {
  group: 'org.elasticmq',
  artifact: 'elasticmq-server_2.13',
  version: '1.6.14',
  sha256: '79da023465d07d4e5fbacd5fb844959163188219dd8938945b178b7908bd4e10',
};

/**
 * A Java program that tests need, fetched by Maven.
 *
 * @returns the class path
 */
export async function mavenPackage(wanted: MavenPackage): Promise<string> {
  const name = `${wanted.artifact}-${wanted.version}`;
  return join(await installOnce('java', name, (folder) => install(folder, wanted)), '*');
}

async function install(folder: string, wanted: MavenPackage): Promise<void> {
  const project = join(folder, 'pom.xml');
  await writeFile(project, projectOf(wanted));
  await promisify(execFile)('mvn', [
    '-q',
    '-B',
    '-f',
    project,
    COPY,
    '-DincludeScope=runtime',
    `-DoutputDirectory=${folder}`,
  ]).catch((error: NodeJS.ErrnoException & { stdout?: string }) => {
    if (error.code !== 'ENOENT')
      throw new Error(`mvn could not fetch ${wanted.artifact}:\n${error.stdout}`, { cause: error });
    throw new Error('tests of other services than the embedded one need Java and Maven, e.g. apt-get install maven');
  });
  await rm(project);
  const sha256 = await digestOf(folder);
  if (sha256 !== wanted.sha256)
    throw new Error(`expected ${wanted.artifact} with the hash ${wanted.sha256}, got ${sha256}`);
}

function projectOf({ group, artifact, version }: MavenPackage): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>labelqueue</groupId><artifactId>of-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;
}

/** Maven checks a file only against a hash from where the file comes from. */
async function digestOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    lines.push(`${hash.digest('hex')}  ${name}\n`);
  }
  return createHash('sha256').update(lines.join('')).digest('hex');
}
