import type { HttpResponse } from '../../sim/transport.ts';
import type { Session } from '../session.ts';

interface LoggedRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}

const STATUS_TEXT: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
const MAX_BODY = 1024;
const PLACE = 'round_trippers.go';

/** client-go's debugging round tripper: 6 tells requests, 7 their headers, 8 bodies cut at 1,024 characters, 9 whole bodies. */
export async function logResponse(session: Session, verbosity: number, request: LoggedRequest, response: HttpResponse, tookMs: number): Promise<void> {
  const headers = (list: Readonly<Record<string, string>>): string =>
    Object.keys(list)
      .sort()
      .map((name) => `\n\t${name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase())}: ${list[name]}`)
      .join('');
  const cut = (text: string): string =>
    verbosity >= 9 || text.length <= MAX_BODY ? text : `${text.slice(0, MAX_BODY)} [truncated ${text.length - MAX_BODY} chars]`;
  if (verbosity >= 8 && request.body !== undefined) await session.klog('I', `${PLACE}:527`, `"Request Body" body=${JSON.stringify(cut(request.body))}`);
  if (verbosity >= 7)
    await session.klog('I', `${PLACE}:527`, `"Request" verb="${request.method}" url="${request.url}" headers=<${headers(request.headers)}\n >`);
  const status = `${response.status} ${STATUS_TEXT[response.status] ?? ''}`.trim();
  const told = verbosity >= 8 ? ` headers=<${headers(response.headers)}\n >` : '';
  await session.klog(
    'I',
    `${PLACE}:632`,
    `"Response" ${verbosity >= 7 ? '' : `verb="${request.method}" url="${request.url}" `}status="${status}"${told} milliseconds=${Math.round(tookMs)}`,
  );
  if (verbosity >= 8 && response.body)
    await session.klog('I', `${PLACE}:1004`, `"Response Body" body=${JSON.stringify(cut(new TextDecoder().decode(response.body)))}`);
}
