import type { Shell } from './shell.ts';

/** Takes over the process' environment and sets what a shell sets when it starts. */
export function importEnvironment(shell: Shell): void {
  for (const [name, value] of shell.process.env) {
    if (/^[A-Za-z_]\w*$/.test(name)) shell.variables.put(name, { value, exported: true, readonly: false });
  }
  const set = (name: string, value: string, exported: boolean): void => {
    const variable = shell.variables.declare(name);
    variable.value = value;
    variable.exported ||= exported;
  };
  set('PWD', shell.process.cwd, true);
  set('SHLVL', String((Number(shell.get('SHLVL')) || 0) + 1), true);
  set('IFS', ' \t\n', false);
  set('OPTIND', '1', false);
  set('PPID', String(shell.process.ppid), false);
  set('PS2', '> ', false);
  set('PS4', '+ ', false);
  if (shell.get('PATH') === undefined) set('PATH', '/sbin:/usr/sbin:/bin:/usr/bin', false);
  if (shell.dialect === 'bash') {
    shell.options.add('braceexpand').add('hashall');
    set('BASH_VERSION', '5.2.15(1)-release', false);
    set('HOSTNAME', shell.process.machine.hostname, false);
    set('UID', String(shell.process.uid), false);
    set('EUID', String(shell.process.uid), false);
    set('BASH', '/bin/bash', false);
    set('OSTYPE', 'linux-gnu', false);
  }
}
