import packageJson from '../../package.json' with { type: 'json' };

/**
 * What a worker calls itself where FETCH_USER_AGENT is not set. It names the project alone; whoever runs a job must
 * add how to reach them (`docs/fetching.md`).
 */
export const DEFAULT_USER_AGENT = `${packageJson.name}/${packageJson.version} (+${packageJson.homepage})`;
