// @ts-check
// The environment of npm and pip. How they reach a registry is the user's choice; where and whether they install is not.

/** Keys and scopes of registries begin with `//` and `@`. */
const KEPT_BY_NPM =
  /^npm_config_(?:\/\/.*|@.*|_.*|registry|replace_registry_host|(?:https?_)?proxy|no_?proxy|ca|cafile|cert|certfile|key|keyfile|strict_ssl|cache|user_?config|global_?config|fetch_.*|maxsockets|local_address|offline|prefer_offline|prefer_online|user_agent|loglevel)$/i;
const KEPT_BY_PIP =
  /^pip_(?:(?:extra_)?index_url|find_links|no_index|trusted_host|cert|client_cert|proxy|(?:default_)?timeout|retries|cache_dir|no_cache_dir|config_file|keyring_provider|use_feature|use_deprecated)$/i;
/** With its value, which may be in the next word, and in quotes. */
const NODE_OPTION = /(?<!\S)-[\w-]+(?:(?:=|\s+(?!-))(?:[^\s"]|"(?:\\.|[^"\\])*")+)?/g;
/** Options that load modules have paths from the user's folder, and a debugger would wait for the user. */
const KEPT_BY_NODE =
  /^--(?:use-\w+-ca|use-env-proxy|openssl-|tls-|dns-result-order|(?:no-)?network-family-|max-http-header-size|max[-_]old[-_]space[-_]size)/;

/**
 * The arguments of `npm ci` that install what the lock file says, whatever the user's configuration says. An option cannot undo a
 * `workspace` there.
 */
export const NPM_CI = [
  ...['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--include=peer', '--bin-links=true'],
  ...['--global=false', '--location=project', '--workspaces=false', '--dry-run=false', '--package-lock-only=false'],
  ...['--install-strategy=hoisted', '--engine-strict=false', '--legacy-peer-deps=false', '--strict-peer-deps=false'],
  ...['--no-audit', '--no-fund', '--no-progress', '--no-update-notifier'],
  // As many tries as npm makes by default, within seconds: without a network it would wait 70 s.
  ...['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-factor=3'],
  // On a full disk npm swallows its errors, when it cannot write a log of its own.
  '--logs-max=0',
];

/** Without NODE_ENV, and what npm passes to its children about its own run. @param {NodeJS.ProcessEnv} environment */
export function npmEnvironment({ NODE_OPTIONS = '', NODE_ENV: _, ...others }) {
  const options = NODE_OPTIONS.match(NODE_OPTION)?.filter((option) => KEPT_BY_NODE.test(option)) ?? [];
  const environment = withoutSettings(others, /^npm_(?:config|package|lifecycle)_/i, KEPT_BY_NPM);
  return { ...environment, NODE_OPTIONS: options.join(' ') };
}

/** @param {NodeJS.ProcessEnv} environment */
export function pipEnvironment(environment) {
  return { ...withoutSettings(environment, /^pip_/i, KEPT_BY_PIP), PIP_REQUIRE_VIRTUALENV: '0' };
}

/** Without a tool's settings, except some. @type {(from: NodeJS.ProcessEnv, ofTool: RegExp, kept: RegExp) => NodeJS.ProcessEnv} */
function withoutSettings(from, ofTool, kept) {
  const isKept = (/** @type {string} */ name) => !ofTool.test(name) || kept.test(name.replaceAll('-', '_'));
  return Object.fromEntries(Object.entries(from).filter(([name]) => isKept(name)));
}
