import { goJson } from '../format/go-json.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { twoWayMergePatch } from '../patch/strategic.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, throwAggregate } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { parsePairs, resourcesAndPairs } from '../util/pairs.ts';

/** The Pod spec inside a workload; throws as polymorphichelpers.UpdatePodSpecForObject. */
export function podSpecOf(object: Obj): Obj {
  if (object.kind === 'Pod') return object.spec;
  if (object.kind === 'CronJob') return object.spec.jobTemplate.spec.template.spec;
  const spec = object.spec?.template?.spec;
  if (!spec) throw new CliError('the object is not a pod or does not have a pod template: *v1.' + object.kind);
  return spec;
}

/** Sends the strategic patch between two versions of each object: what every `kubectl set` does. */
export async function patchAll(
  session: Session,
  infos: readonly Info[],
  operation: string,
  mutate: (object: Obj, info: Info) => void,
  failureText: (error: unknown) => string,
  /** `always`: sent and printed even when nothing changes; `raw`: what fails is told as it is. */
  how: { always?: boolean; raw?: boolean } = {},
): Promise<void> {
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, operation);
  const failures: unknown[] = [];
  for (const info of infos) {
    const before = info.object as Obj;
    const after = structuredClone(before);
    try {
      mutate(after, info);
    } catch (error) {
      if (how.raw) throw error;
      failures.push(new CliError(`error: ${info.objectName} ${errorText(error)}\n`));
      continue;
    }
    const patch = goJson(twoWayMergePatch(before, after, patchTypeOf(info.mapping.group, info.mapping.kind)));
    if (patch === '{}' && !how.always) continue;
    if (dryRun === 'client' || session.flags.bool('local')) {
      await session.out(printer.print(after, { typed: true }));
      continue;
    }
    try {
      const helper = new Helper(session, info.mapping, { dryRun, fieldManager: session.flags.text('field-manager') });
      await session.out(printer.print(await helper.patch(info.namespace, info.name, 'strategic', patch), { typed: true }));
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      if (how.raw) throw error;
      failures.push(new CliError(failureText(error)));
    }
  }
  throwAggregate(failures);
}

/** The objects a `kubectl set` works on. */
export async function setTargets(session: Session, resources: readonly string[]): Promise<Info[]> {
  const { flags } = session;
  const local = flags.bool('local');
  const result = await build(session, {
    ...fileOptions(session),
    args: resources,
    allowEmptySelector: flags.bool('all'),
    continueOnError: true,
    ...(local ? { local: true } : { labelSelector: flags.has('selector') ? flags.text('selector') : '', latest: true }),
    flatten: true,
  });
  return result.infos();
}

/** kubectl set image. */
export async function setImage(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const { resources, pairs } = resourcesAndPairs(args, 'image');
  const images = parsePairs(pairs, 'image', false).pairs;
  const dryRun = await session.dryRun();
  await makePrinter(session, 'image updated');
  const infos = await setTargets(session, resources);
  const problems: unknown[] = [];
  if (flags.bool('all') && flags.text('selector') !== '') problems.push(new CliError('cannot set --all and --selector at the same time'));
  if (resources.length === 0 && flags.list('filename').length === 0 && flags.text('kustomize') === '') {
    problems.push(new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>'));
  }
  const names = Object.keys(images);
  if (names.length === 0) problems.push(new CliError('at least one image update is required'));
  else if (names.length > 1 && '*' in images)
    problems.push(new CliError('all containers are already specified by *, but saw more than one container_name=container_image pairs'));
  if (flags.bool('local') && dryRun === 'server') problems.push(new CliError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?'));
  throwAggregate(problems);
  const missing: unknown[] = [];
  await patchAll(
    session,
    infos,
    'image updated',
    (object) => {
      const spec = podSpecOf(object);
      for (const [name, image] of Object.entries(images)) {
        let found = false;
        for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])] as Obj[]) {
          if (container.name !== name && name !== '*') continue;
          found = true;
          container.image = image;
        }
        if (!found) missing.push(new CliError(`error: unable to find container named "${name}"`));
      }
    },
    (error) => `failed to patch image update to pod template: ${errorText(error)}`,
  );
  throwAggregate(missing);
}
