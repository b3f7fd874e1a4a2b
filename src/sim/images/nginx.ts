import { program } from '../../applets/applet.ts';
import { acceptLoop, type FileServerOptions, serveConnection } from '../../applets/web-server.ts';
import { busyboxImage } from './base.ts';
import { untilStopped } from './until-stopped.ts';

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>
</body>
</html>
`;

const logTime = (ms: number): string => {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
};

/**
 * A web server over a folder that logs requests as nginx' "combined" format does. As in the reference cluster, PID 1
 * has no handler for SIGTERM, so it is killed when the grace period is over (corpus deploy-rollout.json: STATUS Error), unless
 * it `stops` when told.
 */
export function webServer(root: string, server: string, stops = false) {
  return program('', async (applet) => {
    const conf = listenPort(applet.fs.exists('/etc/nginx/conf.d/default.conf') ? applet.fs.readText('/etc/nginx/conf.d/default.conf') : '');
    const options: FileServerOptions = {
      root: conf.root ?? root,
      headers: `Server: ${server}\r\n`,
      errorPage: (status, reason) =>
        `<html>\r\n<head><title>${status} ${reason}</title></head>\r\n<body>\r\n<center><h1>${status} ${reason}</h1></center>\r\n<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`,
      async onAnswer({ client, request, status, bytes, headers }) {
        const { kernel } = applet.process;
        await applet.process.out(
          `${client} - - [${logTime(kernel.now())}] "${request}" ${status} ${bytes} "${headers.get('referer') ?? '-'}" "${headers.get('user-agent') ?? '-'}" "${headers.get('x-forwarded-for') ?? '-'}"\n`,
        );
      },
    };
    const serving = acceptLoop(applet, conf.port ?? 80, (socket) => serveConnection(applet, socket, options));
    return stops ? Promise.race([serving, untilStopped(applet.process).then(() => 0)]) : serving;
  });
}

/** The two directives of a server block that lessons change. */
function listenPort(conf: string): { port?: number; root?: string } {
  const port = /^\s*listen\s+(?:[\d.]+:)?(\d+)/m.exec(conf)?.[1];
  const root = /^\s*root\s+([^;]+);/m.exec(conf)?.[1];
  return { ...(port ? { port: Number(port) } : {}), ...(root ? { root: root.trim() } : {}) };
}

const DEFAULT_CONF = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
`;

export const nginx = busyboxImage({
  repository: 'docker.io/library/nginx',
  tags: [
    ...['latest', 'alpine', 'stable', 'stable-alpine', 'mainline', '1', '1-alpine', '1.7.9', '1.14', '1.14.2', '1.15', '1.15.4', '1.16', '1.16.0', '1.16.1'],
    ...['1.17', '1.18', '1.19', '1.20', '1.21', '1.21.6', '1.22', '1.23', '1.24', '1.24.0', '1.25', '1.25.0', '1.25.3', '1.26', '1.27', '1.28', '1.29'],
  ].flatMap((tag) => (/^1\.\d+$/.test(tag) ? [tag, `${tag}-alpine`] : [tag])),
  sizeBytes: 2130813,
  cmd: ['nginx', '-g', 'daemon off;'],
  exposedPorts: [80],
  accounts: [{ name: 'nginx', uid: 101, gid: 101, home: '/nonexistent' }],
  programs: { '/usr/sbin/nginx': webServer('/usr/share/nginx/html', 'nginx/1.25.5') },
  build(fs) {
    fs.mkdir('/usr/share/nginx/html', { recursive: true });
    fs.writeFile('/usr/share/nginx/html/index.html', WELCOME);
    fs.writeFile(
      '/usr/share/nginx/html/50x.html',
      '<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n</body>\n</html>\n',
    );
    fs.mkdir('/etc/nginx/conf.d', { recursive: true });
    fs.writeFile('/etc/nginx/conf.d/default.conf', DEFAULT_CONF);
    fs.mkdir('/var/log/nginx', { recursive: true });
  },
});

export const httpd = busyboxImage({
  repository: 'docker.io/library/httpd',
  tags: ['latest', 'alpine', '2', '2.4', '2.4-alpine'],
  sizeBytes: 58_671_233,
  cmd: ['httpd-foreground'],
  exposedPorts: [80],
  workingDir: '/usr/local/apache2',
  programs: { '/usr/local/bin/httpd-foreground': webServer('/usr/local/apache2/htdocs', 'Apache/2.4.58 (Unix)', true) },
  build(fs) {
    fs.mkdir('/usr/local/apache2/htdocs', { recursive: true });
    fs.writeFile('/usr/local/apache2/htdocs/index.html', '<html><body><h1>It works!</h1></body></html>\n');
  },
});
