/** The end of a head: lines may lack their carriage return. */
const EMPTY_LINE = /\n\r?\n/g;
const STATUS_LINE = /^HTTP\/\d(?:\.\d)?[ \t]+(?<status>\d{3})(?!\d)/i;
/** A token of RFC 9110, 5.6.2, with any space around it. */
const HEADER = /^[ \t]*(?<name>[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*:(?<value>.*)$/is;
const LINE_CONTINUED = /\r?\n[ \t]+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a header must not contain these.
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000a-\u001f\u007f]/g;

/**
 * The head of an HTTP response, normalized for a strict parser, with the bytes after it. Interim responses (1xx) are removed.
 *
 * @returns undefined while the head is incomplete; the unchanged bytes when they are not an HTTP response
 */
export function tidyHead(received: Buffer): Buffer | undefined {
  const text = received.toString('latin1');
  let start = 0;
  // Not recursive per interim response: a server may send thousands of them.
  for (const { index, 0: emptyLine } of text.matchAll(EMPTY_LINE)) {
    const end = index + emptyLine.length;
    const [statusLine = '', ...lines] = linesOf(text.slice(start, end));
    const status = STATUS_LINE.exec(statusLine)?.groups?.['status'];
    if (status === undefined) return received.subarray(start);
    if (!status.startsWith('1')) return Buffer.concat([tidied(status, lines), received.subarray(end)]);
    start = end;
  }
  return undefined;
}

function linesOf(head: string): string[] {
  return head.trimEnd().replaceAll(LINE_CONTINUED, ' ').split(/\r?\n/);
}

function tidied(status: string, lines: readonly string[]): Buffer {
  const head = [`HTTP/1.1 ${status}`, ...tidyHeaders(lines), 'connection: close'].join('\r\n');
  return Buffer.from(`${head}\r\n\r\n`, 'latin1');
}

function tidyHeaders(lines: readonly string[]): string[] {
  const headers = lines.flatMap((line) => {
    const { name, value = '' } = HEADER.exec(line)?.groups ?? {};
    return name === undefined
      ? []
      : [{ name: name.toLowerCase(), value: value.replaceAll(CONTROL_CHARACTERS, '').trim() }];
  });
  const others = headers.filter(({ name }) => !FRAMING.has(name)).map(({ name, value }) => `${name}: ${value}`);
  return [...others, ...framing(headers)];
}

const FRAMING = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade']);

/** The framing of the body: chunked takes precedence over lengths (RFC 9112, 6.3); the parser rejects contradicting lengths. */
function framing(headers: readonly { name: string; value: string }[]): string[] {
  const valuesOf = (wanted: string) =>
    headers.filter(({ name }) => name === wanted).flatMap(({ value }) => value.split(',').map((part) => part.trim()));
  if (valuesOf('transfer-encoding').some((coding) => /^chunked$/i.test(coding))) return ['transfer-encoding: chunked'];
  return [...new Set(valuesOf('content-length'))].map((length) => `content-length: ${length}`);
}
