import { fromByteText } from '../../../applets/applet.ts';
import { Errno } from '../../../unix/types.ts';
import type { Subcommand } from './common.ts';

const NEW_FILE = 'mount-tester new file\n';

/** As Go prints fs.FileMode: every set type bit as a letter, then the permissions. */
function goMode(stat: { type: string; mode: number }, permissionsOnly: boolean): string {
  let letters = '';
  if (!permissionsOnly) {
    if (stat.type === 'directory') letters += 'd';
    if (stat.mode & 0o4000) letters += 'u';
    if (stat.mode & 0o2000) letters += 'g';
    if (stat.mode & 0o1000) letters += 't';
  }
  let bits = '';
  for (let i = 8; i >= 0; i--) bits += stat.mode & (1 << i) ? 'rwxrwxrwx'[8 - i] : '-';
  return `${letters || '-'}${bits}`;
}

/** `agnhost mounttest`: creates files and tells of files, in this order whatever the order of its flags. */
export const mounttest: Subcommand = async (applet, flags) => {
  const { fs, process } = applet;
  const say = (line: string): Promise<void> => process.out(`${line}\n`);
  process.umask = 0;
  let failed = false;
  const each = async (flag: string, complaint: (path: string, problem: string) => string, act: (path: string) => Promise<void> | void): Promise<void> => {
    const path = fromByteText(flags.get(flag) ?? '');
    if (path === '') return;
    try {
      await act(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      failed = true;
      await say(complaint(path, `open ${path}: ${error.message.toLowerCase()}`));
    }
  };
  const cannotRead = (path: string, problem: string): string => `error reading file content for "${path}": ${problem}`;
  const cannotWrite = (path: string, problem: string): string => `error writing new file "${path}": ${problem}`;
  const cannotStat = (path: string, problem: string): string => `error Lstat "${path}": ${problem.replace(/^open/, 'lstat')}`;
  const tell = async (path: string): Promise<void> => {
    const file = process.open(path, 'r');
    file.close();
    await say(`content of file "${path}": ${fs.readText(path)}`);
  };

  await each('fs_type', cannotStat, async (path) => {
    const mount = fs.mounts().find((one) => one.path === path);
    await say(`mount type of "${path}": ${mount?.type ?? 'overlay'}`);
  });
  for (const mode of ['0644', '0666', '0660', '0777'])
    await each(`new_file_${mode}`, cannotWrite, async (path) => {
      const file = process.open(path, 'w', Number.parseInt(mode, 8));
      await file.write(new TextEncoder().encode(NEW_FILE));
      file.close();
      await tell(path);
    });
  await each('file_mode', cannotStat, (path) => say(`mode of file "${path}": ${goMode(fs.stat(path), false)}`));
  await each('file_perm', cannotStat, (path) => say(`perms of file "${path}": ${goMode(fs.stat(path), true)}`));
  await each('file_owner', cannotStat, (path) => say(`owner UID of "${path}": ${fs.stat(path).uid}\nowner GID of "${path}": ${fs.stat(path).gid}`));
  await each('file_content', cannotRead, tell);

  const looped = fromByteText(flags.get('file_content_in_loop') ?? '');
  if (looped === '') return failed ? 1 : 0;
  const limitMs = process.kernel.now() + Number(flags.get('retry_time') ?? 180) * 1000;
  const breaks = flags.get('break_on_expected_content') !== 'false';
  let missing = false;
  for (; process.kernel.now() < limitMs; await process.sleep(2000)) {
    try {
      missing = false;
      await tell(looped);
      if (!breaks) continue;
      if (fs.readText(looped) === NEW_FILE) break;
      await process.out(`Unexpected content. Expected: ${NEW_FILE}. Retrying`);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      missing = true;
      await say(`Error reading file ${looped}: open ${looped}: ${error.message.toLowerCase()}, retrying`);
    }
  }
  return failed || missing ? 1 : 0;
};
