import packageJson from '../../../package.json' with { type: 'json' };

/**
 * What a worker calls itself where FETCH_USER_AGENT is not set. It names the project alone, and says that a
 * contact is missing: whoever runs a job should name one (`docs/fetching.md`).
 */
export const DEFAULT_USER_AGENT = `${packageJson.name}/${packageJson.version} (batch image classifier; contact not set)`;
