import { isIP } from 'node:net';

/** Whether a text is `host:port`, `1.2.3.4:port` or `[v6]:port`. */
export function isHostAndPort(text: string): boolean {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text);
  const { v6, port } = match?.groups ?? {};
  const portNumber = Number(port);
  return match !== null && portNumber >= 1 && portNumber <= 65_535 && (v6 === undefined || isIP(v6) === 6);
}
