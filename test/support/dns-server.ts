import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What the server has for a name: addresses, `none` (the name exists without any), `unknown`, `failure`, or `silence`. */
export type DnsAnswer = readonly string[] | 'none' | 'unknown' | 'failure' | 'silence';

/** A name server on loopback. */
export type DnsServer = AsyncDisposable & {
  /** As `Resolver.setServers` takes it. */
  address: string;
  /** `A name` or `AAAA name` per question, in the order in which they came. */
  asked: string[];
};

const TYPES: ReadonlyMap<number, 'A' | 'AAAA'> = new Map([
  [1, 'A'],
  [28, 'AAAA'],
]);
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

/** @param answerTo asked per question; IPv4 addresses are for A, IPv6 for AAAA */
export async function startDnsServer(answerTo: (name: string, type: 'A' | 'AAAA') => DnsAnswer): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = questionOf(message);
    const kind = TYPES.get(type);
    if (kind === undefined) return;
    asked.push(`${kind} ${name}`);
    const answer = answerTo(name, kind);
    if (answer !== 'silence') socket.send(reply(message.subarray(0, end), answer, type), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
    },
  };
}

/** RFC 1035, 4.1: the one question begins behind a header of 12 bytes. */
function questionOf(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function reply(question: Buffer, answer: Exclude<DnsAnswer, 'silence'>, type: number): Buffer {
  const records =
    typeof answer === 'string' ? [] : answer.map(addressBytes).filter(({ length }) => length === (type === 1 ? 4 : 16));
  const header = Buffer.from(question);
  const code = answer === 'unknown' ? NO_SUCH_NAME : answer === 'failure' ? SERVER_FAILURE : NO_ERROR;
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(records.length, 6);
  header.fill(0, 8, 12);
  return Buffer.concat([header, ...records.map((bytes) => record(bytes, type))]);
}

/** Its name is a pointer to the question's; it may be kept for a minute. */
function record(address: Buffer, type: number): Buffer {
  const fields = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length]);
  return Buffer.concat([fields, address]);
}

/** IPv6 in full form or with `::` in its middle. */
function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
