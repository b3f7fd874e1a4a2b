import type { Transport } from '../../sim/transport.ts';
import { ConnectionError } from '../util/errors.ts';

/** The laptop's resolver, as Go names it when a name is not found. */
const RESOLVER = '127.0.0.53:53';

/** What Go says of an address that nothing answers at: the laptop has no network beyond the cluster. */
export function unreachable(op: string, url: string): ConnectionError {
  const [, scheme = 'http', host = ''] = /^(\w+):\/\/([^/]*)/.exec(url) ?? [];
  const name = host.replace(/:\d+$/, '');
  const address = /:\d+$/.test(host) ? host : `${host}:${scheme === 'https' ? 443 : 80}`;
  let message = `dial tcp: lookup ${name} on ${RESOLVER}: no such host`;
  if (/^(127\.|\[::1\]|localhost$)/.test(name)) message = `dial tcp ${address.replace('localhost', '127.0.0.1')}: connect: connection refused`;
  else if (/^([\d.]+|\[.*\])$/.test(name)) message = `dial tcp ${address}: connect: network is unreachable`;
  return new ConnectionError(op, url, host, message);
}

/** The transport to such an address. */
export function unreachableTransport(server: string): Transport {
  return {
    request: ({ method, path }) => Promise.reject(unreachable(method.charAt(0) + method.slice(1).toLowerCase(), server + path)),
    upgrade: ({ path }) => Promise.reject(unreachable('Get', server + path)),
  };
}
