import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import { isLibvips } from './contents.ts';
import type { LinkedLibrary } from './libvips-libraries.ts';
import type { Shipped } from './notices.ts';
import type { ShippedPackage } from './shipped-packages.ts';

const { ComponentType, HashAlgorithm } = Enums;

/** What the bill of materials says of the package as a whole, and of what no npm package is. */
export type SbomFacts = Shipped & {
  /** labelqueue's own. */
  version: string;
  /** Hex, of the zip. */
  sha256: string;
  /** The wheel that libtensorflow is from; the hash is that of the wheel, in hex. */
  tensorflow: { package: string; version: string; sha256: string; companions: readonly Companion[] };
  model: ShippedModel;
};

/** A library of others in the wheel, which TensorFlow's needs. */
export type Companion = { name: string; licenses: string };

/** The default model: its name, and the hashes of its files in hex, by path. */
export type ShippedModel = { name: string; version: string; license: string; files: ReadonlyMap<string, string> };

/**
 * The package's bill of materials as a CycloneDX 1.6 document. It says nothing of when and where it was
 * made: the same package gives the same bytes.
 *
 * @returns JSON, with a line feed at the end
 */
export function sbomText(facts: SbomFacts): string {
  const { packages, libraries, tensorflow, model } = facts;
  const components = new Map(packages.map((shipped) => [shipped.folder, packageComponent(shipped, libraries)]));
  const others = [tensorflowComponent(tensorflow), modelComponent(model)];
  for (const { folder, dependencies } of packages) {
    for (const other of dependencies) dependOn(components.get(folder), components.get(other));
  }
  const whole = component(ComponentType.Application, 'labelqueue', facts.version, {
    licenses: 'Apache-2.0',
    hash: [HashAlgorithm['SHA-256'], facts.sha256],
  });
  const asked = new Set(packages.flatMap(({ dependencies }) => dependencies));
  for (const [folder, made] of components) if (!asked.has(folder)) dependOn(whole, made);
  for (const other of others) dependOn(whole, other);

  const bom = new Models.Bom({ components: new Models.ComponentRepository([...components.values(), ...others]) });
  bom.metadata.component = whole;
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function dependOn(component: Models.Component | undefined, other: Models.Component | undefined): void {
  if (component !== undefined && other !== undefined) component.dependencies.add(other.bomRef);
}

function tensorflowComponent({
  package: name,
  version,
  sha256,
  companions,
}: SbomFacts['tensorflow']): Models.Component {
  const made = component(ComponentType.Library, 'libtensorflow', version, {
    licenses: 'Apache-2.0',
    hash: [HashAlgorithm['SHA-256'], sha256],
    purl: new PackageURL('pypi', undefined, name, version).toString(),
  });
  for (const { name: companion, licenses } of companions) {
    made.components.add(component(ComponentType.Library, companion, undefined, { licenses }));
  }
  return made;
}

type Details = {
  /** An SPDX expression. */
  licenses: string;
  hash?: [algorithm: Enums.HashAlgorithm, hex: string];
  purl?: string;
  copyright?: string;
  /** Tells it from others of the same purl. */
  reference?: string;
};

function component(
  type: Enums.ComponentType,
  name: string,
  version: string | undefined,
  { licenses, hash, purl, copyright, reference }: Details,
): Models.Component {
  return new Models.Component(type, name, {
    ...(version === undefined ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    ...(copyright === undefined ? {} : { copyright }),
    bomRef: reference ?? purl ?? name,
    hashes: new Models.HashDictionary(hash === undefined ? [] : [hash]),
    licenses: new Models.LicenseRepository([license(licenses)]),
  });
}

function license(expression: string): Models.SpdxLicense | Models.LicenseExpression {
  return /^[\w.-]+$/.test(expression) ? new Models.SpdxLicense(expression) : new Models.LicenseExpression(expression);
}

/** A version can be there twice, in two folders: the folder is what tells them apart. */
function packageComponent(shipped: ShippedPackage, libraries: readonly LinkedLibrary[]): Models.Component {
  const { folder, name, version, sha512 } = shipped;
  const [, group, bare = name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(name) ?? [];
  const made = component(ComponentType.Library, bare, version, {
    licenses: shipped.license,
    hash: [HashAlgorithm['SHA-512'], Buffer.from(sha512, 'base64').toString('hex')],
    purl: new PackageURL('npm', group, bare, version).toString(),
    reference: folder,
  });
  if (group !== undefined) made.group = group;
  if (isLibvips(name)) for (const library of libraries) made.components.add(libraryComponent(library));
  return made;
}

function libraryComponent({ name, version, licenses, copyright }: LinkedLibrary): Models.Component {
  return component(ComponentType.Library, name, version, {
    licenses: licenses.join(' AND '),
    purl: new PackageURL('generic', undefined, name, version).toString(),
    copyright,
  });
}

function modelComponent({ name, version, license, files }: ShippedModel): Models.Component {
  const model = component(ComponentType.MachineLearningModel, name, version, { licenses: license });
  for (const [path, sha256] of files) {
    const hash: Details['hash'] = [HashAlgorithm['SHA-256'], sha256];
    const licenses = path === 'labels.txt' ? 'MIT' : license;
    model.components.add(
      component(ComponentType.File, path, undefined, { licenses, hash, reference: `${name}/${path}` }),
    );
  }
  return model;
}
