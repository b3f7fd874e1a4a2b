import { lazyProgram } from '../shell/lazy.ts';
import { viProgram } from '../shell/vi.ts';
import type { Program } from '../unix/types.ts';
import { awkApplets } from './awk.ts';
import { dateApplets } from './dates.ts';
import { diffApplets } from './diff.ts';
import { dumpApplets } from './dump.ts';
import { expandApplets } from './expand.ts';
import { fileChangeApplets } from './file-change.ts';
import { fileDataApplets } from './file-data.ts';
import { fileListApplets } from './file-list.ts';
import { fileModeApplets } from './file-mode.ts';
import { findApplets } from './find.ts';
import { grepApplets } from './grep.ts';
import { headTailApplets } from './head-tail.ts';
import { miscApplets } from './misc.ts';
import { netClientApplets } from './net-clients.ts';
import { netInfoApplets } from './net-info.ts';
import { nslookupApplet } from './nslookup.ts';
import { processApplets } from './process-applets.ts';
import { processListApplets } from './process-list.ts';
import { screenApplets } from './screen.ts';
import { sedApplets } from './sed.ts';
import { sumApplets } from './sums.ts';
import { sysctlApplets } from './sysctl.ts';
import { tarApplets } from './tar.ts';
import { textBasicApplets } from './text-basic.ts';
import { textFieldApplets } from './text-fields.ts';
import { xargsApplets } from './xargs.ts';

const gzipApplet = (name: 'gzip' | 'gunzip' | 'zcat'): Program => lazyProgram(async () => (await import('./gzip.ts')).gzipApplets[name]);

/** Every applet by name; loaded when the first of them is run. */
export const allApplets: Readonly<Record<string, Program>> = {
  ...textBasicApplets,
  ...textFieldApplets,
  ...expandApplets,
  ...headTailApplets,
  ...xargsApplets,
  ...processApplets,
  ...fileListApplets,
  ...fileChangeApplets,
  ...netClientApplets,
  ...netInfoApplets,
  ...sysctlApplets,
  ...grepApplets,
  ...sedApplets,
  ...miscApplets,
  ...fileModeApplets,
  ...processListApplets,
  ...fileDataApplets,
  ...dumpApplets,
  ...dateApplets,
  ...findApplets,
  ...awkApplets,
  ...sumApplets,
  ...tarApplets,
  ...screenApplets,
  ...diffApplets,
  gzip: gzipApplet('gzip'),
  gunzip: gzipApplet('gunzip'),
  zcat: gzipApplet('zcat'),
  nslookup: nslookupApplet,
  vi: viProgram,
};
