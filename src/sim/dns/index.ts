export { CorefileError } from './corefile.ts';
export { createDnsServer, type DnsServerOptions } from './dns-server.ts';
export { K3S_COREFILE } from './k3s-corefile.ts';
