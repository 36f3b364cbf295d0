import { nameBeside } from '../../shared/runtime/unfinished.ts';

/** What a killed process named what it worked on beside a place. No process has an id as large. */
export function leftByKilledProcess(place: string): string {
  return nameBeside(place).replace(/-\d+-(?=[0-9a-f]{8}$)/, '-99999999-');
}

/** What a process of another container names it: the same process id means another process there. */
export function namedInAnotherContainer(place: string): string {
  return nameBeside(place).replace(/(?<=unfinished-)[0-9a-f]{12}/, '0123456789ab');
}
