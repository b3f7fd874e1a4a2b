import { Errno } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, UsageError } from './applet.ts';
import { acceptLoop, serveConnection } from './web-server.ts';

/** httpd, netstat, ifconfig, ip, route, arp: servers and what is known of interfaces. */

async function httpd(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, 'ifvc:d:p:u:r:e:m:h:');
  const [port = '80', host] = (options.get('p') ?? '80').split(':').reverse();
  const root = applet.path(options.get('h') ?? '.');
  if (options.get('h') !== undefined && !applet.fs.exists(root))
    throw new Failure(`can't change directory to '${options.get('h')}': No such file or directory`);
  const serve = async (process: Applet['process']): Promise<number> => {
    const own = process === applet.process ? applet : Object.assign(Object.create(Object.getPrototypeOf(applet)), applet, { process });
    try {
      return await acceptLoop(
        own,
        Number(port),
        (socket) =>
          serveConnection(own, socket, {
            root: root === '/' ? '' : root,
            async onAnswer({ client, status }) {
              if (options.has('v')) await process.err(`${client}:${socket.remote.port}: response:${status}\n`);
            },
          }),
        host,
      );
    } catch (error) {
      if (error instanceof Errno && error.code === 'EADDRINUSE') throw new Failure('bind: Address already in use');
      throw error;
    }
  };
  if (options.has('f') || options.has('i')) return serve(applet.process);
  applet.process.fork(serve, [...applet.process.argv], { newGroup: true });
  return 0;
}

async function netstat(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'laentuwxrWp');
  const sockets = [...applet.process.machine.net.listening()].sort((a, b) => a.protocol.localeCompare(b.protocol));
  const listening = options.has('l') || options.has('a');
  await applet.put(`Active Internet connections ${options.has('a') ? '(servers and established)' : listening ? '(only servers)' : '(w/o servers)'}\n`);
  await applet.put(`Proto Recv-Q Send-Q Local Address           Foreign Address         State       ${options.has('p') ? 'PID/Program name    ' : ''}\n`);
  const any = options.has('t') || options.has('u');
  for (const { protocol, ip, port } of listening ? sockets : []) {
    if (any && !options.has(protocol[0] as string)) continue;
    const local = `${ip}:${port}`.padEnd(23);
    await applet.put(
      `${protocol.padEnd(5)}      0      0 ${local} ${'0.0.0.0:*'.padEnd(23)} ${(protocol === 'tcp' ? 'LISTEN' : '').padEnd(11)} ${options.has('p') ? '-'.padEnd(20) : ''}\n`,
    );
  }
}

/** Ethernet address that a CNI bridge would give: derived from the IP. */
const macOf = (ip: string): string => ['02', '42', ...ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':').toUpperCase();

const broadcastOf = (ip: string): string => ip.replace(/\d+$/, '255');

async function ifconfig(applet: Applet): Promise<void> {
  const wanted = applet.args.find((word) => !word.startsWith('-'));
  const { ip } = applet.process.machine.net;
  if (wanted !== undefined && wanted !== 'eth0' && wanted !== 'lo') throw new Failure(`${wanted}: error fetching interface information: Device not found`);
  const traffic = '          RX packets:12 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:9 errors:0 dropped:0 overruns:0 carrier:0\n';
  if (wanted !== 'lo') {
    await applet.put(
      `eth0      Link encap:Ethernet  HWaddr ${macOf(ip)}  \n          inet addr:${ip}  Bcast:${broadcastOf(ip)}  Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1450  Metric:1\n${traffic}          collisions:0 txqueuelen:1000 \n          RX bytes:1112 (1.0 KiB)  TX bytes:702 (702.0 B)\n\n`,
    );
  }
  if (wanted !== 'eth0') {
    await applet.put(
      `lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n${traffic.replaceAll(/:(12|9) /g, ':0 ')}          collisions:0 txqueuelen:1000 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n`,
    );
  }
}

async function ip(applet: Applet): Promise<void> {
  const words = applet.args.filter((word) => !word.startsWith('-'));
  const own = applet.process.machine.net.ip;
  const network = own.replace(/\d+$/, '0/24');
  const gateway = own.replace(/\d+$/, '1');
  const object = words[0] ?? '';
  if (object !== '' && 'address'.startsWith(object)) {
    await applet.put(
      `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1450 qdisc noqueue qlen 1000\n    link/ether ${macOf(own).toLowerCase()} brd ff:ff:ff:ff:ff:ff\n    inet ${own}/24 brd ${broadcastOf(own)} scope global eth0\n       valid_lft forever preferred_lft forever\n`,
    );
  } else if (object !== '' && 'route'.startsWith(object)) {
    await applet.put(`default via ${gateway} dev eth0 \n${network} dev eth0 scope link  src ${own} \n10.42.0.0/16 via ${gateway} dev eth0 \n`);
  } else if (object !== '' && 'link'.startsWith(object)) {
    // No device is ever made: without the capability that is refused, with it not looked at.
    if (['add', 'set', 'delete'].includes(words[1] ?? '')) {
      if (applet.process.machine.facts.privileged) return;
      throw new Failure('RTNETLINK answers: Operation not permitted', 2);
    }
    await applet.put(
      `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1450 qdisc noqueue qlen 1000\n    link/ether ${macOf(own).toLowerCase()} brd ff:ff:ff:ff:ff:ff\n`,
    );
  } else if (object !== '' && 'neighbour'.startsWith(object)) {
    await applet.put(`${gateway} dev eth0 lladdr ${macOf(gateway).toLowerCase()} ref 1 used 0/0/0 probes 1 REACHABLE\n`);
  } else throw new UsageError();
}

async function route(applet: Applet): Promise<void> {
  const own = applet.process.machine.net.ip;
  const gateway = own.replace(/\d+$/, '1');
  const row = (destination: string, via: string, mask: string, flags: string): string =>
    `${destination.padEnd(15)} ${via.padEnd(15)} ${mask.padEnd(15)} ${flags.padEnd(5)} 0      0        0 eth0\n`;
  await applet.put('Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n');
  await applet.put(row(applet.args.includes('-n') ? '0.0.0.0' : 'default', gateway, '0.0.0.0', 'UG'));
  await applet.put(
    row('10.42.0.0', gateway, '255.255.0.0', 'UG') + row(own.replace(/\d+$/, '0'), applet.args.includes('-n') ? '0.0.0.0' : '*', '255.255.255.0', 'U'),
  );
}

async function arp(applet: Applet): Promise<void> {
  const gateway = applet.process.machine.net.ip.replace(/\d+$/, '1');
  await applet.put(`? (${gateway}) at ${macOf(gateway).toLowerCase()} [ether]  on eth0\n`);
}

export const netInfoApplets = {
  httpd: program('[-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]', httpd),
  netstat: program('[-ral] [-tuwx] [-enWp]', netstat),
  ifconfig: program('[-a] [INTERFACE]', ifconfig),
  ip: program('address|route|link|neigh', ip),
  route: program('[-n]', route),
  arp: program('[-a]', arp),
};
