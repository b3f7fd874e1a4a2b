import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { DryRun, Session } from '../session.ts';
import { CliError, StatusError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { canonicalQuantity } from '../util/quantity.ts';
import { setLastApplied } from './last-applied.ts';

/** kubectl autoscale. */
export async function autoscale(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const min = flags.number('min');
  const max = flags.number('max');
  const percent = flags.number('cpu-percent');
  if (max < 1) throw new CliError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min) throw new CliError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  if (percent > 0 && flags.text('cpu') !== '') throw new CliError('--cpu-percent and --cpu are mutually exclusive');
  const metrics = [...target('cpu', percent > 0 ? `${percent}%` : flags.text('cpu')), ...target('memory', flags.text('memory'))];
  const result = await build(session, {
    ...fileOptions(session),
    args,
    continueOnError: true,
    flatten: true,
  });
  const printer = await makePrinter(session, 'autoscaled');
  let count = 0;
  await result.visit(async (info) => {
    count++;
    const { mapping } = info;
    if (!mapping.api.subresources.some((subresource) => subresource.name === 'scale')) {
      throw new CliError(
        `cannot autoscale a ${mapping.kind}: could not find scale subresource for ${mapping.group}/${mapping.version}, Resource=${mapping.resource} in discovery information`,
      );
    }
    const object: Obj = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: flags.text('name') || info.name },
      spec: {
        maxReplicas: max,
        ...(metrics.length > 0 ? { metrics } : {}),
        ...(min > 0 ? { minReplicas: min } : {}),
        scaleTargetRef: { apiVersion: mapping.apiVersion, kind: mapping.kind, name: info.name },
      },
      status: { currentMetrics: null, desiredReplicas: 0 },
    };
    if (flags.bool('save-config')) setLastApplied(object);
    if (dryRun === 'client') {
      const created = await makePrinter(session, 'created');
      await session.out(created.print(object, { typed: true }));
      return;
    }
    const helper = new Helper(session, (await session.mapper()).forKind('HorizontalPodAutoscaler', 'autoscaling', 'v2'), {
      dryRun,
      fieldManager: flags.text('field-manager'),
    });
    let created: Obj;
    try {
      created = await helper.create(info.namespace, object);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      created = await createOlder(session, info.namespace, object, dryRun);
    }
    await session.out(printer.print(created, { typed: true }));
  });
  if (count === 0) throw new CliError('no objects passed to autoscale');
}

/** What does not go as autoscaling/v2 is tried as v1, which knows one target only; upstream words what does not fit oddly. */
async function createOlder(session: Session, namespace: string, object: Obj, dryRun: DryRun): Promise<Obj> {
  const { flags } = session;
  const incompatible = (why: string): CliError =>
    new CliError(`failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: ${why}`);
  const cpu = flags.text('cpu').trim();
  const percent = flags.number('cpu-percent');
  if (cpu === '') throw incompatible('empty input');
  if (flags.text('memory') !== '' || (percent < 0 && !cpu.endsWith('%'))) throw incompatible('%!w(<nil>)');
  const { metrics: _, ...spec } = object.spec;
  const helper = new Helper(session, (await session.mapper()).forKind('HorizontalPodAutoscaler', 'autoscaling', 'v1'), {
    dryRun,
    fieldManager: flags.text('field-manager'),
  });
  return helper.create(namespace, {
    ...object,
    apiVersion: 'autoscaling/v1',
    spec: { ...spec, ...(percent >= 0 ? { targetCPUUtilizationPercentage: percent } : {}) },
    status: { currentReplicas: 0, desiredReplicas: 0 },
  });
}

/** `80%` is utilization; a quantity is an average value, in thousandths of a core or mebibytes when it has no unit. */
function target(name: 'cpu' | 'memory', text: string): Obj[] {
  if (text === '') return [];
  const resource = (value: Obj): Obj[] => [{ resource: { name, target: value }, type: 'Resource' }];
  if (text.endsWith('%')) {
    const value = Number(text.slice(0, -1));
    if (!/^\+?\d+%$/.test(text) || value > 2 ** 31 - 1) throw new CliError(`invalid percentage value: ${text.slice(0, -1)}`);
    return resource({ averageUtilization: value, type: 'Utilization' });
  }
  const withUnit = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) + (name === 'cpu' ? 'm' : 'Mi') : text;
  const quantity = canonicalQuantity(withUnit);
  if (quantity === undefined) throw new CliError(`invalid resource ${name} value: ${text}`);
  return resource({ averageValue: quantity, type: 'AverageValue' });
}
