import { lazyProgram } from '../shell/lazy.ts';
import type { Program } from '../unix/types.ts';

/** Names in all.ts, which is loaded only when one of them is run (a test holds the two together). */
const NAMES =
  '[ [[ arp awk base64 basename cal cat chgrp chmod chown clear cmp comm cp cut date dd df diff dirname du echo egrep env expand expr factor false fgrep find fold free grep gunzip gzip hd head hexdump hostname httpd id ifconfig ip kill killall less ln ls md5sum mkdir mktemp more mount mv nc netstat nice nl nohup nproc nslookup od paste pgrep pidof ping pkill printenv printf ps pwd readlink realpath reset rev rm rmdir route sed seq setsid sha1sum sha256sum sha512sum shuf sleep sort stat strings stty sync sysctl tac tail tar tee telnet test time timeout top touch tr traceroute true truncate tty umount uname unexpand uniq unlink uptime usleep vi watch wc wget which who whoami xargs xxd yes zcat';

/** BusyBox's applets by name; the shell is not among them. Containers and the reader's laptop share them. */
export const applets: Readonly<Record<string, Program>> = Object.fromEntries(
  NAMES.split(' ').map((name) => [name, lazyProgram(async () => (await import('./all.ts')).allApplets[name]!)]),
);
