export { CorefileError } from './corefile.ts';
export { createDnsServer, DnsServer, type DnsServerOptions } from './dns-server.ts';
export { K3S_COREFILE } from './k3s-corefile.ts';
export { referenceUpstream, type Upstream } from './small-plugins.ts';
