/** Whether a URL is of AWS itself, an interface endpoint of a VPC included, and not of a service that speaks its protocols. */
export function isOfAws(url: string): boolean {
  const { hostname } = URL.parse(url) ?? {};
  return hostname !== undefined && /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(hostname);
}
