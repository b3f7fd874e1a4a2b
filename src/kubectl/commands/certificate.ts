import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, isConflict, isNotFound } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

/** kubectl certificate approve. */
export function approve(session: Session, args: string[]): Promise<void> {
  return decide(session, args, {
    type: 'Approved',
    opposite: 'Denied',
    reason: 'KubectlApprove',
    message: 'This CSR was approved by kubectl certificate approve.',
  });
}

/** kubectl certificate deny. */
export function deny(session: Session, args: string[]): Promise<void> {
  return decide(session, args, { type: 'Denied', opposite: 'Approved', reason: 'KubectlDeny', message: 'This CSR was denied by kubectl certificate deny.' });
}

interface Decision {
  type: string;
  opposite: string;
  reason: string;
  message: string;
}

async function decide(session: Session, args: string[], decision: Decision): Promise<void> {
  const { flags } = session;
  const printer = await makePrinter(session, decision.type.toLowerCase());
  if (args.length === 0 && flags.list('filename').length === 0 && flags.text('kustomize') === '') {
    throw new CliError('one or more CSRs must be specified as <name> or -f <filename>');
  }
  const result = await build(session, {
    ...fileOptions(session),
    // Requests are of the whole cluster, and kubectl does not look at -n here.
    namespace: '',
    enforceNamespace: false,
    args,
    defaultType: 'certificatesigningrequests',
    continueOnError: true,
    flatten: true,
    latest: true,
  });
  let found = 0;
  await result.visit(async (info) => {
    const object = info.object as Obj;
    if (object.kind !== 'CertificateSigningRequest') {
      throw new CliError(`can only handle CertificateSigningRequest.certificates.k8s.io objects, got ${object.kind}`);
    }
    const helper = new Helper(session, info.mapping);
    const approval = new Helper(session, info.mapping, { subresource: 'approval' });
    for (let attempt = 0; ; attempt++) {
      let request: Obj;
      try {
        request = await helper.get('', info.name);
      } catch (error) {
        if (isNotFound(error)) throw new CliError(`could not find v1 version of ${info.name}: ${error.message}`);
        throw error;
      }
      const conditions = (request.status?.conditions ?? []) as Obj[];
      if (conditions.some((condition) => condition.type === decision.opposite)) {
        throw new CliError(`certificate signing request "${info.name}" is already ${decision.opposite}`);
      }
      const already = conditions.some((condition) => condition.type === decision.type);
      if (already && !flags.bool('force')) break;
      const { type, reason, message } = decision;
      const lastUpdateTime = new Date(session.nowMs).toISOString().replace(/\.\d+Z/, 'Z');
      const next = already ? conditions : [...conditions, { type, status: 'True', reason, message, lastUpdateTime, lastTransitionTime: null }];
      try {
        await approval.replace('', info.name, { ...request, status: { ...request.status, conditions: next } }, false);
        break;
      } catch (error) {
        if (!isConflict(error) || attempt >= 10) throw error;
      }
    }
    found++;
    await session.out(printer.print(object));
  });
  if (found === 0) await session.out('No resources found\n');
}
