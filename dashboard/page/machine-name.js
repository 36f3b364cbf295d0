// @ts-check
import { count } from './numbers.js';

/**
 * The name of a type of machine that workers ran on, e.g. `x86_64 with 1,769 MB`, `c7a on EC2` or `own machines`.
 *
 * @param {{ host: 'lambda' | 'ec2' | 'own'; architecture: string; memoryMb: number; instanceFamily?: string | undefined }} machine
 */
export function machineName({ host, architecture, memoryMb, instanceFamily }) {
  if (host === 'own') return `own machines (${architecture})`;
  if (host === 'ec2') return `${instanceFamily ?? architecture} on EC2`;
  return `${architecture} with ${count(memoryMb)} MB`;
}
