/** Whether a URL belongs to AWS itself, VPC interface endpoints included, and not to a compatible service. */
export function isOfAws(url: string): boolean {
  const { hostname } = URL.parse(url) ?? {};
  return hostname !== undefined && /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(hostname);
}
