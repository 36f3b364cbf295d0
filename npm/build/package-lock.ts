/** The parts of a `package-lock.json` of version 3 that are looked at. */
export type PackageLock = { packages: Record<string, LockedPackage>; [field: string]: unknown };

export type LockedPackage = {
  version?: string;
  dev?: true;
  license?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [field: string]: unknown;
};

/** The lock file of some packages alone, with all that they depend on, for whatever platform. */
export function withDependencies(lock: PackageLock, names: readonly string[], root: LockedPackage): PackageLock {
  const wanted = new Set<string>();
  const add = (path: string) => {
    const locked = lock.packages[path];
    if (locked === undefined || wanted.has(path)) return;
    wanted.add(path);
    const { dependencies = {}, optionalDependencies = {} } = locked;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(found(lock, path, name));
  };
  for (const name of names) add(`node_modules/${name}`);
  return onlyWith(lock, (path) => wanted.has(path), root);
}

/** The lock file without what only developers need. */
export function withoutDevelopment(lock: PackageLock, root: LockedPackage): PackageLock {
  return onlyWith(lock, (path) => lock.packages[path]?.dev !== true, root);
}

function onlyWith(lock: PackageLock, isWanted: (path: string) => boolean, root: LockedPackage): PackageLock {
  const { '': _root, ...others } = lock.packages;
  const kept = Object.entries(others).filter(([path]) => isWanted(path));
  return {
    lockfileVersion: lock['lockfileVersion'],
    requires: true,
    packages: { '': root, ...Object.fromEntries(kept) },
  };
}

/** Where a package finds another one: in its own `node_modules`, or in one further up. */
function found(lock: PackageLock, from: string, name: string): string {
  for (let folder = from; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder}/node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
  }
  return `node_modules/${name}`;
}
