import packageJson from '../../../package.json' with { type: 'json' };

/**
 * The default of FETCH_USER_AGENT. It names only the project, and says that a contact is missing: operators should configure one
 * (`docs/fetching.md`).
 */
export const DEFAULT_USER_AGENT = `${packageJson.name}/${packageJson.version} (batch image classifier; contact not set)`;
