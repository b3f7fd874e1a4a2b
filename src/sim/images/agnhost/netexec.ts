import type { Applet } from '../../../applets/applet.ts';
import type { HttpAnswer } from '../../../applets/web-server.ts';
import { decodeText, encodeText } from '../../../unix/index.ts';
import { untilStopped } from '../until-stopped.ts';
import { askHttp, askUdp, json, log, notFound, parseGoDuration, type Request, redirect, type Subcommand, serve, text } from './common.ts';

/** `agnhost netexec`: HTTP(S) and UDP servers that answer, dial and run commands. Left out: /upload, SCTP. */
export const netexec: Subcommand = async (applet, flags) => {
  const { machine } = applet.process;
  const httpPort = Number(flags.get('http-port') ?? 8080);
  const udpPort = Number(flags.get('udp-port') ?? 8081);
  const delayMs = Number(flags.get('delay-shutdown') ?? 0) * 1000;
  let exit: (code: number) => void = () => {};
  const exited = new Promise<number>((resolve) => {
    exit = resolve;
  });
  const handle = (request: Request): Promise<HttpAnswer> => answer(applet, request, exit, httpPort);
  const override = flags.get('http-override');
  serve(
    applet,
    httpPort,
    override === undefined
      ? handle
      : (request) => {
          const [path = '/', query = ''] = override.split('?');
          return handle({ ...request, path, query: new URLSearchParams(query) });
        },
    flags.has('tls-cert-file'),
  );
  if (udpPort > 0) machine.net.listenDatagrams(udpPort, (payload, from) => encodeText(datagramReply(applet, decodeText(payload), `${from.ip}:${from.port}`)));
  await log(applet, `Started HTTP server on port ${httpPort}`);
  if (udpPort > 0) await log(applet, `Started UDP server on port  ${udpPort}`);
  const code = await applet.process.guard(Promise.race([untilStopped(applet.process).then(() => undefined), exited]));
  if (code === undefined && delayMs > 0) await applet.process.sleep(delayMs);
  return code ?? 0;
};

function datagramReply(applet: Applet, request: string, client: string): string {
  const [word = '', ...rest] = request.trim().split(' ');
  switch (word.toLowerCase()) {
    case 'hostname':
      return applet.process.machine.hostname;
    case 'clientip':
      return client;
    case 'echo':
      return rest.join(' ');
    default:
      return '';
  }
}

async function answer(applet: Applet, { path, query, client, headers }: Request, exit: (code: number) => void, httpPort: number): Promise<HttpAnswer> {
  const { kernel, machine } = applet.process;
  const of = (name: string): string => query.get(name) ?? '';
  const say = (message: string): Promise<void> => log(applet, `GET ${message}`);
  switch (path) {
    case '/':
      await say('/');
      return text(`NOW: ${new Date(kernel.now()).toISOString()}`);
    case '/hostname':
    case '/hostName':
      await say(path);
      return text(machine.hostname);
    case '/clientip':
      await say(path);
      return text(client);
    case '/serverport':
      return text(String(httpPort));
    case '/echo':
      await say(`/echo?msg=${of('msg')}&code=${of('code')}`);
      return text(of('msg'), Number(query.get('code') ?? 200));
    case '/healthz':
      await say(path);
      return text('');
    case '/header':
      await say(`/header?key=${of('key')}`);
      return text(headers.get(of('key').toLowerCase()) ?? '');
    case '/redirect':
      await say(`/redirect?location=${of('location')}&code=${of('code')}`);
      return redirect(of('location'), Number(query.get('code') ?? 302));
    case '/exit':
      await say(`/exit?code=${of('code')}&timeout=${of('timeout')}&wait=${of('wait')}`);
      await applet.process.sleep(parseGoDuration(of('wait')));
      exit(Number(query.get('code') ?? 0));
      return text('');
    case '/shutdown':
      await say(path);
      exit(0);
      return text('');
    case '/shell':
      return shell(applet, query.get('shellCommand') ?? of('cmd'));
    case '/dial': {
      await say(`/dial?host=${of('host')}&protocol=${of('protocol')}&port=${of('port')}&request=${of('request')}&tries=${of('tries')}`);
      if (of('request') === '') return text('request parameter not specified. <nil>\n', 400);
      return json(await dialAround(applet, query));
    }
    default:
      return notFound;
  }
}

async function shell(applet: Applet, command: string): Promise<HttpAnswer> {
  await log(applet, `GET /shell?cmd=${command}`);
  const [reader, writer] = applet.process.pipe();
  const child = applet.process.spawn(['/bin/sh', '-c', command], {
    fds: new Map([
      [1, writer],
      [2, writer],
    ]),
  });
  writer.close();
  let output = '';
  for (let chunk = await reader.read(); chunk; chunk = await reader.read()) output += decodeText(chunk);
  const { code } = await applet.process.guard(child.exited);
  return json({ ...(code === 0 ? {} : { error: `exit status ${code}` }), ...(output === '' ? {} : { output }) });
}

/** /dial: asks another Pod over HTTP or UDP and collects what answered. */
async function dialAround(applet: Applet, query: URLSearchParams): Promise<{ responses?: string[]; errors?: string[] }> {
  const host = query.get('host') ?? '';
  const port = Number(query.get('port') ?? 0);
  const request = query.get('request') ?? 'hostname';
  const tries = Number(query.get('tries') ?? 1);
  const responses: string[] = [];
  const errors: string[] = [];
  for (let i = 0; i < tries; i++) {
    try {
      responses.push(query.get('protocol') === 'udp' ? await askUdp(applet, host, port, request) : await askHttp(applet, host, port, `/${request}`));
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { ...(errors.length > 0 ? { errors } : {}), ...(responses.length > 0 ? { responses } : {}) };
}
