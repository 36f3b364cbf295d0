import { BlockList, isIP } from 'node:net';

/** Loopback has Lambda's runtime API; link-local addresses have credentials of containers and instances. */
const OF_THIS_MACHINE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const) {
  OF_THIS_MACHINE.addSubnet(network, prefix, 'ipv4');
}
OF_THIS_MACHINE.addSubnet('fe80::', 10, 'ipv6');
for (const address of ['::', '::1', 'fd00:ec2::254', 'fd00:ec2::23']) OF_THIS_MACHINE.addAddress(address, 'ipv6');

/** Whether `host:port` names the function itself, or what AWS serves beside it: never a server of images. */
export function isOfThisMachine(hostAndPort: string): boolean {
  const host = hostAndPort
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  // Browsers' rules make 127.0.0.1 of `2130706433` and `0x7f.1`, too, and so does the worker's `URL`.
  const normal =
    URL.parse(`http://${isIP(host) === 6 ? `[${host}]` : host}/`)?.hostname.replace(/^\[|\]$/g, '') ?? host;
  const family = isIP(normal);
  if (family === 0) return normal === 'localhost' || normal.endsWith('.localhost');
  return OF_THIS_MACHINE.check(normal, family === 6 ? 'ipv6' : 'ipv4');
}
