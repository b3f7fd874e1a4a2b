/** Names of a path without empty ones and dots. */
export function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** The directory part of a path: '/a/b' → '/a', '/a' → '/'. */
export function parentPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  return slash <= 0 ? '/' : trimmed.slice(0, slash);
}

/** An absolute path without dots: what `path` means in directory `cwd`. Symlinks are not followed. */
export function joinPath(cwd: string, path: string): string {
  const names: string[] = [];
  for (const name of splitPath(path.startsWith('/') ? path : `${cwd}/${path}`)) {
    if (name === '..') names.pop();
    else names.push(name);
  }
  return `/${names.join('/')}`;
}
