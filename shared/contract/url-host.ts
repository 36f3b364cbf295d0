/** The host that a URL names, or the URL itself when it is not one. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
