import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Public IPv6 addresses are allocated only from here (IANA, IPv6 Global Unicast Address Assignments). */
const IPV6_GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an untrusted address may be connected to: public unicast only. Loopback, private, link-local (the metadata
 * service), multicast, documentation and similar ranges are refused, and so is every IPv6 form that contains an IPv4 address
 * (mapped, NAT64, 6to4, Teredo): it may be translated back to a private one on the way.
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
 * The host of a URL as an IP address, or undefined when it is a name. Names are resolved by DNS, whose answers are checked;
 * literals are not, so they must be checked before connecting.
 *
 * @param hostname as in `URL.hostname`: decimal, octal, hex and short IPv4 forms are normalized already, IPv6 is in brackets
 */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : undefined;
}

/** A connection attempt to an address that must not be reached. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';
}

/** @param hostname the name or address in the URL */
export function addressNotAllowed(hostname: string): AddressNotAllowedError {
  return new AddressNotAllowedError(`${hostname} is not a public address`);
}

/**
 * A lookup that fails with `AddressNotAllowedError` when any address must not be reached. A name with a public and a private
 * address is refused as a whole: that is how DNS rebinding looks.
 */
export function publicLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const addresses = found as LookupAddress[];
      if (!addresses.every(({ address }) => isPublicAddress(address))) return callback(addressNotAllowed(hostname), []);
      const first = addresses[0];
      if (options.all || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
