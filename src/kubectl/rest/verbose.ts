import type { Session } from '../session.ts';

/** A request and its answer as kubectl logs them with -v: 6 a line, 7 headers, 8 and more bodies. */
export async function logResponse(
  session: Session,
  verbosity: number,
  request: { method: string; path: string; headers: Readonly<Record<string, string>>; body?: string | undefined },
  response: { status: number; statusText?: string; headers: Readonly<Record<string, string>>; body?: string | undefined },
  tookMs: number,
): Promise<void> {
  const url = `${session.client.server}${request.path}`;
  const status = `${response.status} ${response.statusText ?? STATUS[response.status] ?? ''}`.trim();
  const took = Math.round(tookMs);
  if (verbosity === 6) {
    await session.klog('I', 'round_trippers.go:632', `"Response" verb=${JSON.stringify(request.method)} url=${JSON.stringify(url)} status=${JSON.stringify(status)} milliseconds=${took}`);
    return;
  }
  const list = (headers: Readonly<Record<string, string>>): string =>
    Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== 'authorization')
      .map(([name, value]) => `\t${name}: ${value}\n`)
      .sort()
      .join('');
  if (verbosity >= 8 && request.body) await session.klog('I', 'request.go:1351', `"Request Body" body=${JSON.stringify(clip(request.body, verbosity))}`);
  await session.klog('I', 'round_trippers.go:527', `"Request" verb=${JSON.stringify(request.method)} url=${JSON.stringify(url)} headers=<\n${list(request.headers)} >`);
  const headers = verbosity >= 8 ? ` headers=<\n${list(response.headers)} >` : '';
  await session.klog('I', 'round_trippers.go:632', `"Response" status=${JSON.stringify(status)}${headers} milliseconds=${took}`);
  if (verbosity >= 8 && response.body) await session.klog('I', 'request.go:1351', `"Response Body" body=${JSON.stringify(clip(response.body, verbosity))}`);
}

const STATUS: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict', 422: 'Unprocessable Entity', 500: 'Internal Server Error' };

function clip(text: string, verbosity: number): string {
  const limit = verbosity >= 10 ? Number.POSITIVE_INFINITY : verbosity === 9 ? 10240 : 1024;
  return text.length <= limit ? text : `${text.slice(0, limit)} [truncated ${text.length - limit} chars]`;
}
