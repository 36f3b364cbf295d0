/** Of the project's `package.json`. */
export type ProjectManifest = {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  repository?: unknown;
  homepage?: unknown;
  bugs?: unknown;
};

/** The entries with types: the name in an import, and that of its files in `lib/` and `types/`. */
export const ENTRIES = [
  ['.', 'index'],
  ['./contract', 'contract'],
] as const;

/** The `package.json` of the package that is published. */
export function manifestOf(project: ProjectManifest): Record<string, unknown> {
  const { name, version, description, license, repository, homepage, bugs } = project;
  const entries = ENTRIES.map(([entry, file]) => [
    entry,
    { types: `./types/${file}.d.ts`, default: `./lib/${file}.js` },
  ]);
  return {
    name,
    version,
    description,
    license,
    keywords: ['sqs', 'image-classification', 'batch', 'tensorflow', 'lambda', 'aws', 'cli'],
    ...(repository !== undefined && { repository }),
    ...(homepage !== undefined && { homepage }),
    ...(bugs !== undefined && { bugs }),
    type: 'module',
    // undici's, which is bundled.
    engines: { node: '>=22.19' },
    bin: { [name]: 'bin/labelqueue.js' },
    exports: {
      ...Object.fromEntries(entries),
      './schemas/*.json': './schemas/*.json',
      './package.json': './package.json',
    },
    files: ['bin', 'lib', 'types', 'schemas', 'parts', 'vendor', 'files', 'project.tar.gz', 'THIRD-PARTY-NOTICES.txt'],
    // For `labelqueue/contract` alone: schemas that are to be combined with others have to be of the user's zod.
    peerDependencies: { zod: `^${project.dependencies['zod']}` },
    peerDependenciesMeta: { zod: { optional: true } },
  };
}
