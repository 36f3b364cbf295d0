import ipaddr from 'ipaddr.js';

/** Public IPv6 is allocated from here alone (IANA, IPv6 Global Unicast Address Assignments). */
const IPV6_GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address that a stranger named may be connected to: public unicast only. Loopback,
 * private, link-local (the metadata service), multicast, documentation and the like are refused,
 * and so is every IPv6 form that carries an IPv4 address (mapped, NAT64, 6to4, Teredo): it may
 * be translated back to a private one on the way.
 *
 * @param address an IP address as the operating system writes it, never a name
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(IPV6_GLOBAL_UNICAST);
}

/**
 * The host of a URL as an IP address, or undefined when it is a name. Names go through DNS, whose
 * answers are checked; literals do not, so they must be checked before connecting.
 *
 * @param hostname as `URL.hostname` gives it: decimal, octal, hex and short IPv4 forms are
 *   normalized already, IPv6 is in brackets
 */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : undefined;
}
