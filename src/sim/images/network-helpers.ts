export { dial, hostAddress } from '../../applets/net-clients.ts';
export { acceptLoop, serveConnection } from '../../applets/web-server.ts';
