/** E.g. `cats-20261124-071500`, in UTC. */
export function defaultJobName(source: string, now: Date): string {
  const last = source === '-' ? 'stdin' : (source.split(/[/\\]/).findLast((part) => part !== '') ?? '');
  const name = last.replace(/(\.[A-Za-z]{1,8}){1,2}$/, '').replaceAll(/[^A-Za-z0-9._-]+/g, '-');
  const time = now
    .toISOString()
    .replaceAll(/[-:]|\..*$/g, '')
    .replace('T', '-');
  return `${name.replace(/^[^A-Za-z0-9]+/, '').slice(0, 80) || 'job'}-${time}`;
}
