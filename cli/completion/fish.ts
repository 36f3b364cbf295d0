import type { CompletedCommand, CompletedOption } from './command-line.ts';

export function fishScript(commands: readonly CompletedCommand[]): string {
  return `# labelqueue completion fish: labelqueue completion fish | source
function __labelqueue_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
${commands.flatMap(steps).join('\n')}
    end
  end
  test "$at" = "$argv[1]"
end
complete -c labelqueue -f
${commands.flatMap(lines).join('\n')}
`;
}

function steps({ words, commands }: CompletedCommand): string[] {
  return commands.map(({ name }) => `      case '${words} ${name}'\n        set at '${`${words} ${name}`.trim()}'`);
}

function lines({ words, commands, options, takesFiles }: CompletedCommand): string[] {
  const here = `complete -c labelqueue -n '__labelqueue_at "${words}"'`;
  return [
    ...commands.map(({ name, description }) => `${here} -a ${name} -d '${description}'`),
    ...options.map((option) => `${here} ${flags(option)} -d '${option.description}'`),
    ...(takesFiles ? [`${here} -F`] : []),
  ];
}

function flags({ names, value }: CompletedOption): string {
  const named = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  if (value === undefined) return named;
  if (value.kind === 'file') return `${named} -r -F`;
  return value.kind === 'choice' ? `${named} -x -a '${value.choices.join(' ')}'` : `${named} -x`;
}
