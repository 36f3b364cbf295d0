import type { ImageRef } from '../../shared/contract/message.ts';
import type { EnqueueSource } from './enqueue-sources.ts';

const SHOWN_CHARACTERS = 500;
const NAMES: Record<EnqueueSource['format'], string> = {
  lines: 'a URL or JSON object per line',
  csv: 'CSV',
  tsv: 'TSV',
  parquet: 'Parquet',
  folder: 'a folder',
  prefix: 'an S3 prefix',
};

/** How sources were read and their first image, for users to check before sending. */
export function sourcesText(sources: readonly EnqueueSource[], first: ImageRef | undefined): string {
  return `${[...sources.flatMap(sourceLines), ...firstImageLines(first)].join('\n')}\n`;
}

/** The same for programs. */
export function sourcesJson(sources: readonly EnqueueSource[]): object[] {
  return sources.map(({ name, format, reading }) => {
    const { encoding, compression, delimiter, columns, warnings, leftOut } = reading;
    return {
      name,
      format,
      encoding,
      compression,
      delimiter,
      columns,
      warnings: [...warnings],
      leftOut: Object.fromEntries(leftOut),
    };
  });
}

function sourceLines({ name, format, reading }: EnqueueSource): string[] {
  const { compression, encoding, delimiter, columns, warnings, leftOut } = reading;
  const how = [NAMES[format], compression, encoding, delimiter && `delimiter ${JSON.stringify(delimiter)}`];
  return [
    `source         ${name}: ${how.filter(Boolean).join(', ')}`,
    ...(columns === undefined ? [] : [`  columns      ${columnsText(columns)}`]),
    ...[...warnings].map((warning) => `  warning      ${warning}`),
    ...[...leftOut].map(([reason, count]) => `  left out     ${count}: ${reason}`),
  ];
}

function columnsText({ url, id, meta, passedOver }: NonNullable<EnqueueSource['reading']['columns']>): string {
  const name = (column: string) => JSON.stringify(column);
  const notFrom = passedOver.length === 0 ? '' : ` (not from ${passedOver.map(name).join(', ')})`;
  return [
    `URL from ${name(url)}${notFrom}`,
    `id from ${id === undefined ? 'the URL' : name(id)}`,
    meta.length === 0 ? 'no meta' : `meta from ${shortened(meta.map(name).join(', '))}`,
  ].join('; ');
}

function firstImageLines(first: ImageRef | undefined): string[] {
  if (first === undefined) return [];
  return [
    `first image    id   ${shortened(JSON.stringify(first.id))}`,
    `               URL  ${shortened(JSON.stringify(first.url))}`,
    ...(first.meta === undefined ? [] : [`               meta ${shortened(JSON.stringify(first.meta))}`]),
  ];
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
