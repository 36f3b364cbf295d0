/** The length of a vector. */
export function vectorLength(values: Float32Array): number {
  return Math.sqrt(dotProduct(values, values));
}

/** The cosine of the angle between two vectors, -1 to 1; 0 when one of them has no direction. */
export function cosine(one: Float32Array, other: Float32Array): number {
  const lengths = vectorLength(one) * vectorLength(other);
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, dotProduct(one, other) / lengths));
}

function dotProduct(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number);
  return sum;
}
