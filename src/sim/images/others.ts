import { lazyProgram } from '../../shell/lazy.ts';
import type { Program } from '../../unix/types.ts';
import { busyboxImage } from './base.ts';
import { webServer } from './nginx.ts';
import { bash } from './shell-programs.ts';
import type { ImageDefinition } from './types.ts';

/** Images that some lessons and upstream's specs use: their own programs are loaded when they first run. */
const curl: Program = lazyProgram(async () => (await import('./curl.ts')).curlProgram);
const agnhost: Program = lazyProgram(async () => (await import('./agnhost/index.ts')).agnhostProgram);
const bind = (name: 'dig' | 'host' | 'nslookup'): Program => lazyProgram(async () => (await import('./dig.ts')).bindPrograms[name]);
const redis = (name: 'server' | 'cli'): Program => lazyProgram(async () => (await import('./redis.ts')).redisPrograms[name]);

const getent: Program = lazyProgram(async () => (await import('./getent.ts')).getentProgram);

const BIND = { '/usr/bin/dig': bind('dig'), '/usr/bin/host': bind('host'), '/usr/bin/nslookup': bind('nslookup') };

const MUSL = '/lib/ld-musl-x86_64.so.1';
/** Not in Debian's and Ubuntu's minimal images. */
const NOT_IN_DEBIAN = 'ping wget nslookup ifconfig ip netstat nc telnet traceroute vi httpd route arp ps top free watch uptime pgrep pkill pidof killall'.split(
  ' ',
);

function debianLike(repository: string, tags: readonly string[], name: string, sizeBytes: number): ImageDefinition {
  return busyboxImage({
    repository,
    tags,
    sizeBytes,
    cmd: ['/bin/bash'],
    include: (applet) => !NOT_IN_DEBIAN.includes(applet),
    programs: { '/bin/bash': bash },
    build: (fs) => fs.writeFile('/etc/os-release', name),
  });
}

const E2E = 'registry.k8s.io/e2e-test-images';

export const otherImages: readonly ImageDefinition[] = [
  busyboxImage({
    repository: 'docker.io/library/alpine',
    tags: ['latest', '3', '3.17', '3.18', '3.19', '3.20', '3.21', '3.22', 'edge'],
    sizeBytes: 3_800_000,
    cmd: ['/bin/sh'],
    build(fs) {
      fs.mkdir('/lib', { recursive: true });
      fs.writeFile(MUSL, '', { mode: 0o755 });
      fs.writeFile(
        '/etc/os-release',
        'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\nHOME_URL="https://alpinelinux.org/"\n',
      );
      fs.writeFile('/etc/alpine-release', '3.22.1\n');
    },
  }),
  debianLike(
    'docker.io/library/ubuntu',
    ['latest', '20.04', '22.04', '24.04', 'jammy', 'noble'],
    'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n',
    29_733_000,
  ),
  debianLike(
    'docker.io/library/debian',
    ['latest', '11', '12', '13', 'bookworm', 'bookworm-slim', 'trixie'],
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    48_500_000,
  ),
  busyboxImage({
    repository: 'docker.io/curlimages/curl',
    tags: ['*'],
    sizeBytes: 8_900_000,
    entrypoint: ['/entrypoint.sh'],
    cmd: ['curl'],
    user: { uid: 100, gid: 101 },
    accounts: [{ name: 'curl_user', uid: 100, gid: 101, home: '/home/curl_user' }],
    programs: {
      '/usr/bin/curl': curl,
      // Options alone mean curl, anything else is run as it is.
      '/entrypoint.sh': async (process) => {
        const args = process.argv.slice(1);
        return process.exec(args[0]?.startsWith('-') || process.which(args[0] ?? '') === undefined ? ['curl', ...args] : args);
      },
    },
    build(fs) {
      fs.mkdir('/lib', { recursive: true });
      fs.writeFile(MUSL, '', { mode: 0o755 });
    },
  }),
  busyboxImage({
    repository: 'docker.io/nicolaka/netshoot',
    tags: ['*'],
    sizeBytes: 203_000_000,
    cmd: ['/bin/bash'],
    programs: { ...BIND, '/usr/bin/curl': curl, '/bin/bash': bash },
    include: (applet) => applet !== 'nslookup',
  }),
  busyboxImage({
    repository: 'docker.io/library/redis',
    tags: ['latest', 'alpine', '6', '6.2', '7', '7-alpine', '7.0', '7.2', '7.4', '8'],
    sizeBytes: 44_900_000,
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['redis-server'],
    exposedPorts: [6379],
    workingDir: '/data',
    accounts: [{ name: 'redis', uid: 999, gid: 999, home: '/data' }],
    programs: {
      '/usr/local/bin/redis-server': redis('server'),
      '/usr/local/bin/redis-cli': redis('cli'),
      '/usr/local/bin/docker-entrypoint.sh': async (process) =>
        process.exec(process.argv[1]?.startsWith('-') ? ['redis-server', ...process.argv.slice(1)] : process.argv.slice(1)),
    },
    build: (fs) => fs.mkdir('/data', { recursive: true }),
  }),
  busyboxImage({
    repository: `${E2E}/agnhost`,
    tags: ['*'],
    sizeBytes: 51_706_353,
    entrypoint: ['/agnhost'],
    cmd: ['pause'],
    programs: { ...BIND, '/agnhost': agnhost, '/agnhost-2': agnhost, '/usr/bin/curl': curl, '/usr/bin/getent': getent, '/bin/bash': bash },
    include: (applet) => applet !== 'nslookup',
  }),
  busyboxImage({ repository: `${E2E}/busybox`, tags: ['*'], sizeBytes: 2_130_691, cmd: ['sh'] }),
  busyboxImage({
    repository: `${E2E}/jessie-dnsutils`,
    tags: ['*'],
    sizeBytes: 112_030_336,
    programs: { ...BIND, '/bin/bash': bash, '/usr/bin/curl': curl, '/usr/bin/getent': getent },
    include: (applet) => applet !== 'nslookup',
    cmd: ['/bin/sh', '-c', 'while true; do sleep 3600; done'],
  }),
  ...(['nginx', 'httpd'] as const).map((name) =>
    busyboxImage({
      repository: `${E2E}/${name}`,
      tags: ['*'],
      sizeBytes: 17_000_000,
      cmd: [name === 'nginx' ? 'nginx' : 'httpd-foreground'],
      exposedPorts: [80],
      programs:
        name === 'nginx'
          ? { '/usr/sbin/nginx': webServer('/usr/share/nginx/html', 'nginx/1.15.12', true) }
          : { '/usr/local/bin/httpd-foreground': webServer('/usr/local/apache2/htdocs', 'Apache/2.4.39 (Unix)', true) },
      build(fs) {
        const root = name === 'nginx' ? '/usr/share/nginx/html' : '/usr/local/apache2/htdocs';
        fs.mkdir(root, { recursive: true });
        fs.writeFile(`${root}/index.html`, '<html><body><h1>It works!</h1></body></html>\n');
      },
    }),
  ),
];
