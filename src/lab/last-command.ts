import type { HttpRequest, HttpResponse, Transport } from '../sim/transport.ts';

/** A request that the API server refused. */
export interface Refusal {
  /** "v1/pods"; '' when the path names no resource. */
  resource: string;
  namespace: string;
  /** Of the object asked for, or of the one that was to be made. */
  name: string;
  /** As in the Status: "NotFound", "Invalid". */
  reason: string;
  message: string;
}

/** The kubectl command the reader ran last, and what went wrong with it. */
export interface LastCommand {
  command: string;
  atMs: number;
  exit: number;
  /** Its standard error. */
  said: string;
  refusals: Refusal[];
}

const LAST = new WeakMap<Transport, LastCommand>();

/** The last kubectl command of the reader whose kubectl speaks through this door; undefined before the first. */
export const lastCommandOf = (door: Transport): LastCommand | undefined => LAST.get(door);

/** Begins a command's record. */
export function beginCommand(door: Transport, command: string, atMs: number): LastCommand {
  const begun: LastCommand = { command, atMs, exit: 0, said: '', refusals: [] };
  LAST.set(door, begun);
  return begun;
}

/** A door that names the command in each request (「為什麼？」 ends with it) and notes what is refused. */
export function notingDoor(door: Transport, last: LastCommand): Transport {
  const named = (request: HttpRequest): HttpRequest => ({ ...request, headers: { ...request.headers, 'x-chartroom-command': last.command } });
  const note = (request: HttpRequest, response: HttpResponse): void => {
    if (response.status < 400) return;
    const refusal = refusalOf(request, response);
    if (refusal) last.refusals.push(refusal);
  };
  return {
    async request(request) {
      const response = await door.request(named(request));
      note(request, response);
      return response;
    },
    async upgrade(request, protocols) {
      const answer = await door.upgrade(named(request), protocols);
      if ('status' in answer) note(request, answer);
      return answer;
    },
  };
}

function refusalOf(request: HttpRequest, response: HttpResponse): Refusal | undefined {
  if (!response.body) return undefined;
  let status: { reason?: string; message?: string; details?: { name?: string } };
  try {
    status = JSON.parse(new TextDecoder().decode(response.body));
  } catch {
    return undefined;
  }
  const match = /^\/(?:api\/(v1)|apis\/([^/?]+\/[^/?]+))(?:\/namespaces\/([^/?]+)(?=\/))?\/([^/?]+)(?:\/([^/?]+))?/.exec(request.path);
  const resource = match ? `${match[1] ?? match[2]}/${match[4]}` : '';
  return {
    resource,
    namespace: match?.[3] ?? '',
    name: match?.[5] ?? status.details?.name ?? '',
    reason: status.reason ?? '',
    message: status.message ?? '',
  };
}
