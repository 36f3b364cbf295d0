// @ts-check

import { hasStamp } from './stamped-folder.mjs';

/**
 * A folder for the set-up to make.
 *
 * @typedef {object} Step
 * @property {string} title
 * @property {string} place  where the folder belongs
 * @property {import('./stamped-folder.mjs').Stamp} stamp  all that it is made from: when that changes it is made again
 * @property {import('./prerequisites.mjs').Prerequisite[]} needs
 * @property {number} bytes  taken on the disk, at most, while it is made
 * @property {(workshop: Workshop) => Promise<string>} make  returns the path of the finished folder
 */

/**
 * What a step is made with.
 *
 * @typedef {object} Workshop
 * @property {string} folder  empty at first, gone afterwards but for the finished folder
 * @property {(command: readonly string[], options: ToolOptions) => Promise<void>} run  throws a SetupError when the tool fails
 * @property {(phase: string, measure?: import('./progress.mjs').Measure) => void} report  what is being done now
 */

/**
 * @typedef {object} ToolOptions
 * @property {string} name  of the log file
 * @property {string} failure  what to tell when the tool fails, such as `npm could not fetch Node`
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 */

/** @param {Step} step */
export function isMade({ place, stamp }) {
  return hasStamp(place, stamp);
}
