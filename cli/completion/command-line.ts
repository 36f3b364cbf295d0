import type { Argument, Command, Option } from 'commander';

/** What an argument or an option's value may be. */
export type Value = { kind: 'file' } | { kind: 'choice'; choices: readonly string[] } | { kind: 'text' };

export type CompletedOption = {
  /** E.g. `--out`, and `-V` where there is a short form. */
  names: readonly string[];
  description: string;
  /** Its value; undefined for a flag. */
  value: Value | undefined;
};

/** A command or subcommand, and what may follow it. */
export type CompletedCommand = {
  /** Its words after the name of the program, e.g. `model check`; empty for the program. */
  words: string;
  commands: readonly { name: string; description: string }[];
  options: readonly CompletedOption[];
  /** Whether its arguments are files. */
  takesFiles: boolean;
};

/** Arguments and values with these names are paths. */
const PATHS = /^(?:file|folder|path|image|photo|source)$/;
/** Shells show little text. */
const MAX_DESCRIPTION = 70;

/** The program and all its commands, as they are declared. */
export function completedCommands(program: Command, words: readonly string[] = []): CompletedCommand[] {
  const here = {
    words: words.join(' '),
    commands: [...program.commands.map(described), ...program.registeredArguments.flatMap(choicesOf)],
    options: [...program.options.map(completedOption), HELP],
    takesFiles: takesFiles(program.registeredArguments),
  };
  return [here, ...program.commands.flatMap((command) => completedCommands(command, [...words, command.name()]))];
}

/** If the first argument is a choice, only the choices are offered: shells would mix them with files. */
function takesFiles(declared: readonly Argument[]): boolean {
  return declared[0]?.argChoices === undefined && declared.some((argument) => PATHS.test(argument.name()));
}

function described(command: Command): { name: string; description: string } {
  return { name: command.name(), description: shortened(command.description()) };
}

/** The choices of an argument, which are completed like commands. */
function choicesOf({ argChoices = [] }: Argument): { name: string; description: string }[] {
  return argChoices.map((name) => ({ name, description: name }));
}

const HELP: CompletedOption = { names: ['--help', '-h'], description: 'display help', value: undefined };

function completedOption(option: Option): CompletedOption {
  return {
    names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
    description: shortened(option.description),
    value: option.isBoolean() ? undefined : valueAfter(option),
  };
}

function valueAfter({ flags, argChoices }: Option): Value {
  if (argChoices !== undefined) return { kind: 'choice', choices: argChoices };
  const name = /[<[]([\w-]+)/.exec(flags)?.[1] ?? '';
  return { kind: PATHS.test(name) ? 'file' : 'text' };
}

/** The first sentence, without characters that are special in a shell. */
function shortened(description: string): string {
  const plain = description
    .replaceAll(/\s*[:;(]/g, ',')
    .replaceAll(/[^\w ,./<>=+-]/g, '')
    .replace(/[.,] .*$/, '')
    .replace(/\.$/, '');
  return plain.length <= MAX_DESCRIPTION ? plain : `${plain.slice(0, MAX_DESCRIPTION - 3).trimEnd()}...`;
}
