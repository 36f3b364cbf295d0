import type { CompletedCommand, CompletedOption } from './command-line.ts';

export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef labelqueue
# labelqueue completion zsh: source <(labelqueue completion zsh), after compinit
_labelqueue() {
  local at='' word
  local -a commands
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
${commands.flatMap(steps).join('\n')}
    esac
  done
  case "$at" in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ "\${funcstack[1]}" == _labelqueue ]]; then _labelqueue "$@"; else compdef _labelqueue labelqueue; fi
`;
}

function steps({ words, commands }: CompletedCommand): string[] {
  return commands.map(({ name }) => `      ('${words} ${name}') at='${`${words} ${name}`.trim()}' ;;`);
}

function commandCase({ words, commands, options, takesFiles }: CompletedCommand): string {
  const specs = options.flatMap(optionSpecs);
  specs.push(`'*:${argumentSpec(takesFiles, commands.length > 0)}'`);
  const described = commands.map(({ name, description }) => `'${name}:${description}'`).join(' ');
  return `    ('${words}')
      commands=(${described})
      _arguments ${specs.join(' ')} ;;`;
}

/** The words of the command are arguments to zsh, so there is a rule for arguments everywhere. */
function argumentSpec(takesFiles: boolean, hasCommands: boolean): string {
  if (takesFiles) return 'file:_files';
  return hasCommands ? 'command:{_describe command commands}' : 'argument:';
}

function optionSpecs(option: CompletedOption): string[] {
  return option.names.map((name) => {
    const again = name.startsWith('--') ? '*' : '';
    const equals = option.value !== undefined && name.startsWith('--') ? '=' : '';
    return `'${again}${name}${equals}[${option.description}]${valueSpec(option)}'`;
  });
}

function valueSpec({ value }: CompletedOption): string {
  if (value === undefined) return '';
  if (value.kind === 'file') return ':file:_files';
  return value.kind === 'choice' ? `:value:(${value.choices.join(' ')})` : ':value:';
}
