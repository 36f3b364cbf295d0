/**
 * Whether an untrusted relative path stays within its folder, however it is interpreted: as a POSIX or Windows path, as a URL, or
 * decoded from one.
 */
export function isInnerPath(path: string): boolean {
  return [path, percentDecoded(path)].every(staysInside);
}

const CONTROL_OR_BACKSLASH = /[\p{Cc}\\]/u;
const DRIVE_OR_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

function staysInside(path: string): boolean {
  if (CONTROL_OR_BACKSLASH.test(path) || DRIVE_OR_SCHEME.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function percentDecoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A file name may contain a percent sign.
    return path;
  }
}
