import { Errno } from '../unix/types.ts';
import { type Applet, getopt, program } from './applet.ts';

/** Reads settings of the kernel; in a container nobody may change them. */
async function sysctl(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'neqwap:');
  const show = async (name: string, path: string): Promise<void> => {
    const value = applet.fs.readText(path).replace(/\n$/, '');
    await applet.put(options.has('n') ? `${value}\n` : `${name.replaceAll('/', '.')} = ${value}\n`);
  };
  if (options.has('a')) {
    const walk = async (directory: string, prefix: string): Promise<void> => {
      for (const name of applet.fs.readdir(directory)) {
        const path = `${directory}/${name}`;
        if (applet.fs.stat(path).type === 'directory') await walk(path, `${prefix}${name}.`);
        else await show(prefix + name, path);
      }
    };
    return walk('/proc/sys', '');
  }
  for (const word of options.rest) {
    const [name = '', value] = word.split('=');
    const path = `/proc/sys/${name.replaceAll('.', '/')}`;
    try {
      if (value !== undefined) throw new Errno(applet.fs.exists(path) ? 'EROFS' : 'ENOENT');
      await show(name, path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (error.code !== 'ENOENT') await applet.complain(`error setting key '${name}': ${error.message}`);
      else if (!options.has('e')) await applet.complain(`error: '${name}' is an unknown key`);
    }
  }
}

export const sysctlApplets = { sysctl: program('[-enq] { -a | [KEY[=VALUE]]... }', sysctl) };
