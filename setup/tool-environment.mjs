// @ts-check
// The environment of npm and pip. How they reach a registry is the user's choice; where and whether they install is not.

/** The whole names, after `npm_config_`; keys and scopes of registries begin with `//` and `@`. */
const OF_NPM =
  /^(?:\/\/.*|@.*|_.*|registry|replace_registry_host|(?:https?_)?proxy|no_?proxy|ca|cafile|cert|certfile|key|keyfile|strict_ssl|cache|user_?config|global_?config|fetch_.*|maxsockets|local_address|offline|prefer_offline|prefer_online|user_agent|loglevel)$/;
/** The whole names, after `PIP_`. */
const OF_PIP =
  /^(?:(?:extra_)?index_url|find_links|no_index|trusted_host|cert|client_cert|proxy|(?:default_)?timeout|retries|cache_dir|no_cache_dir|config_file|keyring_provider|use_feature|use_deprecated)$/;
/** The beginning. */
const OF_NODE =
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

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv} without NODE_ENV, and what npm passes to its children about its own run
 */
export function npmEnvironment(environment) {
  const { NODE_OPTIONS = '', NODE_ENV: _, ...others } = environment;
  const kept = Object.entries(others).filter(([name]) => {
    if (/^npm_(?:package|lifecycle)_/i.test(name)) return false;
    return !/^npm_config_/i.test(name) || OF_NPM.test(settingOf(name, 'npm_config_'));
  });
  return { ...Object.fromEntries(kept), NODE_OPTIONS: nodeOptions(NODE_OPTIONS) };
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function pipEnvironment(environment) {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^PIP_/i.test(name) || OF_PIP.test(settingOf(name, 'PIP_')),
  );
  return { ...Object.fromEntries(kept), PIP_REQUIRE_VIRTUALENV: '0' };
}

/**
 * @param {string} name
 * @param {string} prefix
 * @returns {string} the rest of the name, as the lists above have it
 */
function settingOf(name, prefix) {
  return name.slice(prefix.length).toLowerCase().replaceAll('-', '_');
}

/**
 * Options that load modules have paths from the user's folder, and a debugger would wait for the user.
 *
 * @param {string} given  NODE_OPTIONS
 */
function nodeOptions(given) {
  const words = given.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  const isKept = (/** @type {string} */ word, /** @type {number} */ index) => {
    const option = word.startsWith('-') ? word : (words[index - 1] ?? '');
    return OF_NODE.test(option) && (option === word || !option.includes('='));
  };
  return words.filter(isKept).join(' ');
}
