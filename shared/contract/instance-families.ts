/**
 * Families of EC2 instance types with a known price, and the number of each in the names of part files. The number is the
 * memory, in MB, of a Lambda function whose time costs about as much as the time of a vCPU: commands of earlier versions read
 * it as that. A number never changes, whatever prices do.
 */
export const INSTANCE_FAMILIES = {
  c6a: 653,
  c6i: 725,
  c7a: 876,
  c7i: 762,
  'c7i-flex': 724,
  c8a: 920,
  c8i: 800,
  m6a: 737,
  m6i: 819,
  m7a: 989,
  m7i: 860,
  'm7i-flex': 817,
  m8a: 1_039,
  m8i: 903,
  r7a: 1_298,
  r7i: 1_129,
  r8a: 1_363,
  r8i: 1_185,
  c6g: 726,
  c7g: 773,
  c7gd: 967,
  c7gn: 1_331,
  c8g: 851,
  c8gd: 1_045,
  m6g: 821,
  m7g: 870,
  m7gd: 1_139,
  m8g: 957,
  r6g: 1_075,
  r7g: 1_142,
  r8g: 1_257,
} as const;

/** One of {@link INSTANCE_FAMILIES}. */
export type InstanceFamily = keyof typeof INSTANCE_FAMILIES;

/** The number of all other families. */
export const OTHER_FAMILY_NUMBER = 900;

const BY_NUMBER = new Map(
  Object.entries(INSTANCE_FAMILIES).map(([family, number]) => [number as number, family as InstanceFamily]),
);

/** The family with a number; undefined for other families, and for families of later versions. */
export function instanceFamilyWith(number: number): InstanceFamily | undefined {
  return BY_NUMBER.get(number);
}

/** The family of an instance type, such as `c7a` of `c7a.xlarge`; undefined if its price is not known. */
export function instanceFamilyOf(instanceType: string): InstanceFamily | undefined {
  const [family = ''] = instanceType.split('.', 1);
  return Object.hasOwn(INSTANCE_FAMILIES, family) ? (family as InstanceFamily) : undefined;
}
