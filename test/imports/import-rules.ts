/**
 * Who may import whom. What stands in a list is all that the folder may import, beside itself and node built-ins; the table in
 * docs/architecture.md says the same.
 */
export type ImportRule = {
  /** A folder of the project that ends in `/`, or a file. */
  place: string;
  /** Folders that end in `/`, files, or the start of files' names that ends in `*`. */
  imports: readonly string[];
  /** Names of npm packages; of a scope all where it ends in `/*`. */
  packages: readonly string[];
};

const FUNCTION_PACKAGES = [
  '@aws-lambda-powertools/*',
  '@aws-sdk/*',
  '@middy/core',
  'aws-lambda',
  'hono',
  'zod',
  'zod-openapi',
];

/** In the order in which an image passes them. Of a file in two of these places the first holds. */
export const IMPORT_RULES: readonly ImportRule[] = [
  { place: 'shared/contract/', imports: [], packages: ['zod'] },
  { place: 'shared/runtime/', imports: ['shared/contract/'], packages: [] },
  { place: 'shared/settings.ts', imports: ['shared/contract/'], packages: ['zod'] },
  { place: 'shared/instance-price.ts', imports: ['shared/contract/'], packages: [] },
  { place: 'shared/cost.ts', imports: ['shared/contract/', 'shared/instance-price.ts'], packages: [] },
  { place: 'shared/instance-processor.ts', imports: ['shared/contract/', 'shared/cost.ts'], packages: [] },
  {
    place: 'shared/fleet-cost.ts',
    imports: ['shared/contract/', 'shared/cost.ts', 'shared/instance-price.ts', 'shared/instance-processor.ts'],
    packages: [],
  },
  {
    place: 'shared/jobs/',
    imports: ['shared/contract/', 'shared/settings.ts', 'shared/cost.ts'],
    packages: ['@aws-sdk/*', 'p-map', 'zod'],
  },
  {
    place: 'shared/classifier/',
    imports: ['shared/contract/', 'shared/runtime/', 'shared/settings.ts', 'package.json'],
    packages: [
      ...['@aws-sdk/client-s3', '@tensorflow/*', 'async-mutex', 'file-type', 'ipaddr.js', 'sharp', 'undici', 'zod'],
    ],
  },
  {
    place: 'shared/lambda/',
    imports: ['shared/classifier/', 'shared/contract/', 'shared/jobs/', 'shared/runtime/', 'shared/settings.ts'],
    packages: ['@aws-lambda-powertools/*', '@aws-sdk/client-s3', '@middy/core'],
  },
  ...['classify', 'api', 'chat', 'sweep', 'announce'].map((name) => ({
    place: `functions/${name}/`,
    imports: ['shared/', 'package.json'],
    packages: FUNCTION_PACKAGES,
  })),
  {
    place: 'dashboard/',
    imports: ['shared/'],
    packages: ['@aws-sdk/*', '@hono/node-server', 'async-mutex', 'hono', 'p-map', 'preact', 'prom-client', 'zod'],
  },
  {
    place: 'worker/',
    imports: ['shared/contract/', 'shared/jobs/', 'shared/runtime/', 'shared/settings.ts', 'dashboard/metrics*'],
    packages: ['@aws-sdk/*', 'aws-lambda', 'prom-client', 'zod'],
  },
  {
    place: 'local/',
    imports: ['shared/', 'worker/', 'dashboard/', 'setup/'],
    packages: ['@aws-sdk/client-sqs', 'async-mutex', 'aws-lambda', 'fauxqs', 'zod'],
  },
  {
    place: 'cli/',
    imports: ['shared/', 'worker/', 'local/', 'dashboard/', 'setup/', 'package.json'],
    packages: [
      ...['@aws-sdk/*', '@duckdb/node-api', 'cli-progress', 'cli-table3', 'commander', 'file-type', 'hono'],
      ...['p-map', 'picomatch', 'zod'],
    ],
  },
  {
    place: 'infra/',
    imports: [
      ...['shared/contract/', 'shared/runtime/', 'shared/settings.ts', 'shared/cost.ts', 'shared/fleet-cost.ts'],
      'shared/instance-price.ts',
      'setup/',
    ],
    packages: [
      ...['@cyclonedx/cyclonedx-library', 'aws-cdk-lib', 'commander', 'constructs', 'esbuild', 'packageurl-js'],
      ...['yazl', 'zod'],
    ],
  },
  {
    place: 'npm/',
    imports: ['shared/', 'cli/', 'setup/', 'infra/package/', 'infra/index.ts'],
    packages: ['commander', 'esbuild', 'p-map', 'zod'],
  },
  { place: 'setup/', imports: [], packages: [] },
  { place: 'bin/', imports: ['setup/'], packages: [] },
];

/** Packages that only these places may import; the rest of the product goes through them. */
export const RESERVED_PACKAGES: readonly { packages: readonly string[]; places: readonly string[] }[] = [
  { packages: ['undici'], places: ['shared/classifier/fetch/http-client.ts'] },
  { packages: ['sharp'], places: ['shared/classifier/decode/'] },
  { packages: ['@tensorflow/*'], places: ['shared/classifier/model/tensorflow/'] },
  { packages: ['@duckdb/node-api'], places: ['cli/export/', 'cli/enqueue/sources/parquet-source.ts'] },
  { packages: ['fauxqs'], places: ['local/fauxqs-parts.ts'] },
];

/** What these may not import, though they may import all of the product. */
export const CLOSED_TO_PROGRAMS: readonly { place: string; closed: readonly string[] }[] = [
  { place: 'testkit/', closed: ['test/', 'bench/'] },
  { place: 'bench/', closed: ['test/'] },
];

/** An import, as a path from the project's folder, or as the name of a package. */
export type Import = { path: string } | { package: string };

/**
 * What is wrong with an import; undefined when nothing is.
 *
 * @param file its path from the project's folder
 */
export function importFault(file: string, imported: Import): string | undefined {
  return 'path' in imported ? pathFault(file, imported.path) : packageFault(file, imported.package);
}

function pathFault(file: string, path: string): string | undefined {
  const rule = ruleOf(file);
  if (rule !== undefined) {
    const { place, imports } = rule;
    return [place, ...imports].some((allowed) => covers(allowed, path)) ? undefined : notAllowed(file, path, rule);
  }
  const program = CLOSED_TO_PROGRAMS.find(({ place, closed }) => {
    return covers(place, file) && closed.some((folder) => covers(folder, path));
  });
  return program && `${file}: ${program.place} may import the product, not ${path}`;
}

function packageFault(file: string, name: string): string | undefined {
  const rule = ruleOf(file);
  if (rule === undefined) return undefined;
  if (!rule.packages.some((allowed) => covers(allowed, name))) return notAllowed(file, name, rule);
  const reserved = RESERVED_PACKAGES.find(({ packages }) => packages.some((of) => covers(of, name)));
  if (reserved === undefined || reserved.places.some((place) => covers(place, file))) return undefined;
  return `${file}: only ${reserved.places.join(' and ')} may import ${name}`;
}

function notAllowed(file: string, imported: string, { place, imports, packages }: ImportRule): string {
  const allowed = [...imports, ...packages].join(', ') || 'nothing but node built-ins';
  return `${file}: ${place} may not import ${imported}; beside itself it may import ${allowed}`;
}

const ruleOf = (file: string) => IMPORT_RULES.find(({ place }) => covers(place, file));

function covers(place: string, path: string): boolean {
  if (place.endsWith('*')) return path.startsWith(place.slice(0, -1));
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}
