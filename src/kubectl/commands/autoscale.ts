import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { type Obj, quote } from '../util/object.ts';
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
      await session.out(printer.print(object, { typed: true }));
      return;
    }
    const helper = new Helper(session, (await session.mapper()).forKind('HorizontalPodAutoscaler', 'autoscaling', 'v2'), {
      dryRun,
      fieldManager: flags.text('field-manager'),
    });
    await session.out(printer.print(await helper.create(info.namespace, object)));
  });
  if (count === 0) throw new CliError('no objects passed to autoscale');
}

/** `80%` is utilization; a quantity is an average value, in thousandths of a core or mebibytes when it has no unit. */
function target(name: 'cpu' | 'memory', text: string): Obj[] {
  if (text === '') return [];
  const resource = (value: Obj): Obj[] => [{ resource: { name, target: value }, type: 'Resource' }];
  if (text.endsWith('%')) {
    const value = Number(text.slice(0, -1));
    if (!Number.isInteger(value)) throw new CliError(`failed to parse ${name} target: strconv.ParseInt: parsing ${quote(text.slice(0, -1))}: invalid syntax`);
    return resource({ averageUtilization: value, type: 'Utilization' });
  }
  const withUnit = /^\d+$/.test(text) ? text + (name === 'cpu' ? 'm' : 'Mi') : text;
  if (!/^\d+(\.\d+)?([mkMGTPE]|[KMGTPE]i)?$/.test(withUnit))
    throw new CliError(`failed to parse ${name} target: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`);
  return resource({ averageValue: withUnit, type: 'AverageValue' });
}
