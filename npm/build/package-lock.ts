/** The parts of a `package-lock.json` of version 3 that are looked at. */
export type PackageLock = { packages: Record<string, LockedPackage>; [field: string]: unknown };

export type LockedPackage = {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  [field: string]: unknown;
};

/** The lock file of some packages alone, with all that they depend on, for whatever platform. */
export function withDependencies(lock: PackageLock, names: readonly string[], root: LockedPackage): PackageLock {
  // By what asks for what: npm's own marks keep what is only an optional peer of what is kept.
  const wanted = new Set<string>();
  const add = (path: string) => {
    const locked = lock.packages[path];
    if (locked === undefined || wanted.has(path)) return;
    wanted.add(path);
    for (const name of neededBy(locked)) add(found(lock, path, name));
  };
  for (const name of names) add(`node_modules/${name}`);
  const { '': _root, ...others } = lock.packages;
  const kept = Object.entries(others).filter(([path]) => wanted.has(path));
  return {
    lockfileVersion: lock['lockfileVersion'],
    requires: true,
    packages: { '': root, ...Object.fromEntries(kept) },
  };
}

function neededBy({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta = {} }: LockedPackage) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta[name]?.optional);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** Where a package finds another one: in its own `node_modules`, or in one further up. */
function found(lock: PackageLock, from: string, name: string): string {
  for (let folder = from; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder}/node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
  }
  return `node_modules/${name}`;
}
