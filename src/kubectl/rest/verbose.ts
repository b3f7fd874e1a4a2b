import { REASONS } from '../../applets/http-reasons.ts';
import type { HttpResponse } from '../../sim/transport.ts';
import type { Session } from '../session.ts';

const GATES =
  'AtomicFIFO ClientsAllowCARotation ClientsAllowCBOR=false ClientsAllowTLSCacheGC ClientsPreferCBOR=false InOrderInformers InOrderInformersBatchProcess InformerResourceVersion UnlockWhileProcessingFIFO WatchListClient';

/** What kubectl says before it asks anything, at -v 6 and more: where its configuration is from, and its client's switches. */
export async function logStart(session: Session): Promise<void> {
  for (const file of session.kubeConfig.files) await session.klog('I', 'loader.go:407', `Config loaded from file:  ${session.process.resolve(file)}`);
  for (const gate of GATES.split(' ')) {
    const [name, enabled = 'true'] = gate.split('=');
    await session.klog('I', 'envvar.go:195', `"Feature gate default state" feature="${name}" enabled=${enabled}`);
  }
}

/** A request and its answer as kubectl logs them: -v 6 a line, 7 the request's headers, 8 and more bodies. */
export async function logResponse(
  session: Session,
  verbosity: number,
  request: { method: string; url: string; body?: string; headers: Record<string, string> },
  response: HttpResponse,
  tookMs: number,
): Promise<void> {
  const quoted = JSON.stringify;
  const status = `${response.status} ${REASONS[response.status] ?? ''}`.trim();
  const log = (place: string, text: string): Promise<void> => session.klog('I', place, text);
  const headers = (all: Readonly<Record<string, string>>): string =>
    Object.entries(all)
      .filter(([name]) => name.toLowerCase() !== 'authorization')
      .map(([name, value]) => `\t\t${headerName(name)}: ${value}\n`)
      .sort()
      .join('');
  const took = Math.round(tookMs);
  if (verbosity === 6) {
    await log('round_trippers.go:632', `"Response" verb=${quoted(request.method)} url=${quoted(request.url)} status=${quoted(status)} milliseconds=${took}`);
    return;
  }
  const clip = (text: string): string => clipped(text, verbosity);
  if (verbosity >= 8 && request.body !== undefined) await log('type.go:165', `"Request Body" body=${quoted(clip(request.body))}`);
  await log('round_trippers.go:527', `"Request" verb=${quoted(request.method)} url=${quoted(request.url)} headers=<\n${headers(request.headers)} >`);
  const answered = verbosity >= 8 ? ` headers=<\n${headers(response.headers)} >` : '';
  await log('round_trippers.go:632', `"Response" status=${quoted(status)}${answered} milliseconds=${took}`);
  if (verbosity >= 8 && response.body) await log('type.go:165', `"Response Body" body=${quoted(clip(new TextDecoder().decode(response.body)))}`);
}

const headerName = (name: string): string => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

function clipped(text: string, verbosity: number): string {
  const limit = verbosity >= 10 ? Number.POSITIVE_INFINITY : verbosity === 9 ? 10240 : 1024;
  return text.length <= limit ? text : `${text.slice(0, limit)} [truncated ${text.length - limit} chars]`;
}
