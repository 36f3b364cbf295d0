import type { CompletedCommand, CompletedOption } from './command-line.ts';

/** Bash 3.2, which macOS has, to 5. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# labelqueue completion bash: source <(labelqueue completion bash)
_labelqueue() {
  local at='' word i
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  # Bash takes --option=value for three words.
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
${commands.flatMap(steps).join('\n')}
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${commands.map(commandCase).join('\n')}
  esac
}
_labelqueue_files() {
  # Names with spaces come right in this way; Bash 3.2 cannot.
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _labelqueue labelqueue
`;
}

function steps({ words, commands }: CompletedCommand): string[] {
  return commands.map(({ name }) => `      '${words} ${name}') at='${`${words} ${name}`.trim()}' ;;`);
}

function valueCases({ words, options }: CompletedCommand): string[] {
  return options.flatMap((option) => {
    const action = actionOf(option);
    if (action === undefined) return [];
    return option.names.map((name) => `    '${words} ${name}') ${action}return ;;`);
  });
}

function actionOf({ value }: CompletedOption): string | undefined {
  if (value === undefined) return undefined;
  if (value.kind === 'file') return '_labelqueue_files; ';
  return value.kind === 'choice' ? `COMPREPLY=($(compgen -W '${value.choices.join(' ')}' -- "$cur")); ` : '';
}

function commandCase({ words, commands, options, takesFiles }: CompletedCommand): string {
  const names = [...commands.map(({ name }) => name), ...options.flatMap((option) => option.names)].join(' ');
  const reply = `COMPREPLY=($(compgen -W '${names}' -- "$cur"))`;
  return takesFiles
    ? `    '${words}') if [[ $cur == -* ]]; then ${reply}; else _labelqueue_files; fi ;;`
    : `    '${words}') ${reply} ;;`;
}
