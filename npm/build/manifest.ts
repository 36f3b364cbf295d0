/** Of the project's `package.json`. */
export type ProjectManifest = {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  repository?: unknown;
  homepage?: unknown;
  bugs?: unknown;
};

/** What programs import. */
export type Entry = {
  /** As it is exported: `.` is the package itself. */
  path: string;
  /** Of its files in `npm/entries/`, `lib/` and `types/`. */
  name: string;
  /** Packages that the user installs beside it: what it makes has to fit to what the user makes with them. */
  peers: readonly string[];
};

export const ENTRIES: readonly Entry[] = [
  { path: '.', name: 'index', peers: [] },
  { path: './contract', name: 'contract', peers: ['zod'] },
  { path: './cdk', name: 'cdk', peers: ['aws-cdk-lib', 'constructs', 'zod'] },
];

/** The `package.json` of the package that is published. */
export function manifestOf(project: ProjectManifest): Record<string, unknown> {
  const { name, version, description, license, repository, homepage, bugs } = project;
  const versions = { ...project.devDependencies, ...project.dependencies };
  const peers = [...new Set(ENTRIES.flatMap((entry) => entry.peers))];
  const entries = ENTRIES.map(({ path, name: file }) => [
    path,
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
    // Each for one entry alone; the command needs none of them.
    peerDependencies: Object.fromEntries(peers.map((peer) => [peer, `^${versions[peer]}`])),
    peerDependenciesMeta: Object.fromEntries(peers.map((peer) => [peer, { optional: true }])),
  };
}
