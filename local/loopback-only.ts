import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BlockList, type Socket } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Closes connections to a port of this process that come from other machines, before anything is
 * read from them: for a server that cannot be told which interface to listen on.
 *
 * @returns ends the watch
 */
export function acceptFromLoopbackOnly(port: number): () => void {
  const check = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === port && !isLoopback(socket)) socket.destroy();
  };
  subscribe('net.server.socket', check);
  return () => unsubscribe('net.server.socket', check);
}

function isLoopback({ remoteAddress = '', remoteFamily }: Socket): boolean {
  return LOOPBACK.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4');
}
