import { visibleLine } from '../../shared/contract/visible-text.ts';
import { commandName } from '../terminal/command-name.ts';
import { counted } from '../terminal/counted.ts';
import { quoted } from '../terminal/shell-text.ts';
import { displayName } from './display-name.ts';
import type { Accuracy, Prediction, Teaching } from './teaching.ts';
import { percentText } from './teaching.ts';
import type { WrittenModel } from './teaching-json.ts';

/** Maximum number of labels for the whole table; with more, only confusions are printed. */
const MAX_COLUMNS = 8;
const MAX_COLUMN = 14;
const SHOWN = 5;

/** What `labelqueue model teach` prints. */
export function teachingText(teaching: Teaching, model: WrittenModel): string {
  return [
    accuracyText(teaching),
    confusionText(teaching),
    unsureText(teaching.unsure),
    alikeText(teaching),
    leftOutText(teaching),
    teaching.warnings.map(({ code, message }) => `warning ${code}: ${visibleLine(message)}\n`).join(''),
    modelText(model),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function accuracyText({ accuracy, arithmetic, inFloats, labels }: Teaching): string {
  const photos = labels.reduce((sum, { training, heldOut }) => sum + training + heldOut, 0);
  const floats = inFloats === undefined ? '' : `          ${share(inFloats)} (32-bit floats)\n`;
  return (
    `${counted(photos, 'photo')} of ${counted(labels.length, 'label')}: trained on ${photos - accuracy.photos}, tested with ${accuracy.photos}\n` +
    `accuracy  ${share(accuracy)} (${arithmetic})\n${floats}`
  );
}

function share(accuracy: Accuracy): string {
  return `${percentText(accuracy)}, ${accuracy.right} of ${counted(accuracy.photos, 'photo')}`;
}

function confusionText({ labels, confusion }: Teaching): string {
  const names = labels.map(({ label }) => label);
  return names.length <= MAX_COLUMNS ? tableText(names, confusion) : mixedUpText(names, confusion);
}

function tableText(names: readonly string[], confusion: readonly number[][]): string {
  const first = Math.max(...names.map(({ length }) => length), 'tested'.length);
  const columns = names.map((name) => Math.min(MAX_COLUMN, Math.max(name.length, 4)));
  const line = (head: string, cells: readonly (string | number)[]) =>
    `${head.padEnd(first)}  ${cells.map((cell, index) => short(String(cell), columns[index] as number).padStart(columns[index] as number)).join('  ')}\n`;
  const rows = confusion.map((cells, index) => line(names[index] as string, cells));
  return `${line('tested', names)}${rows.join('')}`;
}

function short(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function mixedUpText(names: readonly string[], confusion: readonly number[][]): string {
  const mixed = confusion.flatMap((cells, row) =>
    cells.flatMap((photos, column) => (row === column || photos === 0 ? [] : [{ row, column, photos }])),
  );
  if (mixed.length === 0) return '';
  const lines = mixed
    .toSorted((one, other) => other.photos - one.photos)
    .slice(0, MAX_COLUMNS)
    .map(({ row, column, photos }) => `  ${names[row]} classified as ${names[column]}: ${photos}\n`);
  return `most frequent confusions\n${lines.join('')}`;
}

function unsureText(unsure: readonly Prediction[]): string {
  const lines = unsure.slice(0, SHOWN).map(({ photo, score, best, bestScore, heldOut }) => {
    const other = best === photo.label ? '' : `, more likely ${best} (${bestScore.toFixed(3)})`;
    return `  ${score.toFixed(3)} ${photo.label}${other}  ${displayName(photo)}${heldOut ? '' : '  (training photo)'}\n`;
  });
  return `least confident\n${lines.join('')}`;
}

function alikeText({ copies, pairs, pairCount }: Teaching): string {
  const lines = [
    ...(copies.length > 0
      ? [
          `${counted(copies.length, 'copy', 'copies')} of the same file, each used once: ${named(copies.map(({ copy }) => displayName(copy)))}\n`,
        ]
      : []),
    ...(pairs.length > 0
      ? [
          `${counted(pairCount, 'pair')} of photos that are nearly the same: ` +
            `${named(
              pairs.map(({ one, other }) => `${displayName(one)} and ${displayName(other)}`),
              pairCount,
            )}\n`,
        ]
      : []),
  ];
  return lines.join('');
}

function leftOutText({ leftOut, failures }: Teaching): string {
  const reasons = [...leftOut].map(([reason, count]) => `left out ${count}: ${reason}\n`);
  const codes = failures
    .slice(0, SHOWN)
    .map(({ failure, ...photo }) => `  ${displayName(photo)}: ${failure.code}: ${visibleLine(failure.message)}\n`);
  const more = failures.length > SHOWN ? `  and ${failures.length - SHOWN} more\n` : '';
  const unread = failures.length > 0 ? `${counted(failures.length, 'photo')} could not be used\n` : '';
  return `${reasons.join('')}${unread}${codes.join('')}${more}`;
}

function named(names: readonly string[], total: number = names.length): string {
  const more = total > SHOWN ? ` and ${total - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}

function modelText({ path, name, version, sha256 }: WrittenModel): string {
  const folder = quoted(path);
  return (
    `model     ${visibleLine(name)}, version ${version}, in ${visibleLine(path)}\n` +
    `          MODEL_SHA256=${sha256} once the folder is in S3\n` +
    `try it    ${commandName()} classify --model ${folder} photo.jpg\n` +
    `a list    ${commandName()} local --model ${folder}\n` +
    `          ${commandName()} enqueue urls.csv   (in a second terminal)\n`
  );
}
