import { goJson } from '../format/go-json.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { type Obj, quote } from '../util/object.ts';
import { podMapping, waitForPod } from '../util/pods.ts';
import { attachToPod } from './attach.ts';
import { applyProfile, checkProfile } from './debug-profiles.ts';
import { openLog } from './logs.ts';

/** reference.ReferenceRegexp, near enough: a lower-case path after an optional registry, a tag, a digest. */
const IMAGE = /^(?:[\w.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** kubectl debug: a container added to a Pod, a changed copy of a Pod, or a Pod on a node. */
export async function debug(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dash = flags.lengthAtDash;
  const targets = dash < 0 ? args : args.slice(0, dash);
  const command = dash < 0 ? [] : args.slice(dash);
  const setImages = parseSetImages(session);
  checkProfile(flags.text('profile'));
  check(session, targets, command, setImages);
  if (flags.text('target') !== '' && !flags.bool('quiet')) {
    await session.out(
      `Targeting container ${quote(flags.text('target'))}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
    );
  }
  if (flags.bool('tty') && !flags.bool('stdin')) throw new CliError('-i/--stdin is required for containers with -t/--tty=true');
  const result = await build(session, {
    ...fileOptions(session),
    args: targets,
    defaultType: 'pods',
  });
  await result.visit(async (info) => {
    const object = info.object as Obj;
    let made: { pod: Obj; container: string };
    if (object.kind === 'Node') made = await onNode(session, object, command);
    else if (object.kind !== 'Pod') throw new CliError(`"${info.mapping.group}/${info.mapping.version}, Kind=${object.kind}" not supported by debug`);
    else if (flags.text('copy-to') !== '') made = await byCopy(session, object, command, setImages);
    else made = await byEphemeral(session, object, command);
    const attach = flags.changed('attach') ? flags.bool('attach') : flags.bool('stdin');
    if (attach && made.container !== '') await attachTo(session, made.pod, made.container);
  });
}

function parseSetImages(session: Session): Record<string, string> {
  const out: Record<string, string> = {};
  for (const pair of session.flags.list('set-image')) {
    const equals = pair.indexOf('=');
    out[equals < 0 ? pair : pair.slice(0, equals)] = equals < 0 ? '' : pair.slice(equals + 1);
  }
  return out;
}

function check(session: Session, targets: readonly string[], command: readonly string[], setImages: Record<string, string>): void {
  const { flags } = session;
  const image = flags.text('image');
  const container = flags.text('container');
  const fail = (text: string): never => {
    throw new CliError(text);
  };
  if (flags.changed('attach') && flags.bool('attach') && image === '' && container === '') {
    fail('you must specify --container or create a new container using --image in order to attach.');
  }
  if (flags.text('copy-to') !== '') {
    if (image === '' && Object.keys(setImages).length === 0 && command.length === 0) fail('you must specify --image, --set-image or command arguments.');
    if (command.length > 0 && container === '' && image === '') fail('you must specify an existing container or a new image when specifying args.');
    if (flags.text('target') !== '') fail('--target is incompatible with --copy-to. Use --share-processes instead.');
  } else if (flags.bool('replace')) fail('--replace may only be used with --copy-to.');
  else if (flags.bool('same-node')) fail('--same-node may only be used with --copy-to.');
  else if (Object.keys(setImages).length > 0) fail('--set-image may only be used with --copy-to.');
  else if (image === '') fail('you must specify --image when not using --copy-to.');
  if (image !== '' && !IMAGE.test(image)) fail(`invalid image name ${quote(image)}: invalid reference format`);
  if (targets.length === 0 && flags.list('filename').length === 0) fail('NAME or filename is required for debug');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(flags.text('image-pull-policy'))) fail(`invalid image pull policy: ${flags.text('image-pull-policy')}`);
}

/** Fields that the flags give to the new container. */
function containerFields(session: Session, command: readonly string[]): Obj {
  const { flags } = session;
  const env = flags.list('env').map((pair) => {
    const equals = pair.indexOf('=');
    return { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
  });
  return {
    ...(command.length > 0 ? { [flags.bool('arguments-only') ? 'args' : 'command']: [...command] } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(flags.text('image') !== '' ? { image: flags.text('image') } : {}),
    ...(flags.text('image-pull-policy') !== '' ? { imagePullPolicy: flags.text('image-pull-policy') } : {}),
    ...(flags.bool('stdin') ? { stdin: true } : {}),
    ...(flags.bool('tty') ? { tty: true } : {}),
    terminationMessagePolicy: 'File',
  };
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

function suffix(session: Session): string {
  return Array.from({ length: 5 }, () => LETTERS[session.process.kernel.random.int(LETTERS.length)]).join('');
}

async function containerName(session: Session, pod: Obj): Promise<string> {
  const given = session.flags.text('container');
  if (given !== '') return given;
  const all = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])] as Obj[];
  let name: string;
  do name = `debugger-${suffix(session)}`;
  while (all.some((container) => container.name === name));
  if (!session.flags.bool('quiet')) await session.out(`Defaulting debug container name to ${name}.\n`);
  return name;
}

async function byEphemeral(session: Session, pod: Obj, command: readonly string[]): Promise<{ pod: Obj; container: string }> {
  const name = await containerName(session, pod);
  const target = session.flags.text('target');
  const container: Obj = { name, ...containerFields(session, command), ...(target !== '' ? { targetContainerName: target } : {}) };
  applyProfile(session.flags.text('profile'), 'ephemeral', container, pod);
  const { mapping } = await podMapping(session);
  const helper = new Helper(session, mapping, { subresource: 'ephemeralcontainers' });
  const patch = goJson({ spec: { ephemeralContainers: [container] } });
  return { pod: await helper.patch(pod.metadata.namespace, pod.metadata.name, 'strategic', patch), container: name };
}

async function byCopy(session: Session, pod: Obj, command: readonly string[], setImages: Record<string, string>): Promise<{ pod: Obj; container: string }> {
  const { flags } = session;
  const spec: Obj = structuredClone(pod.spec);
  delete spec.ephemeralContainers;
  if (!flags.bool('same-node')) delete spec.nodeName;
  if (flags.changed('share-processes')) spec.shareProcessNamespace = flags.bool('share-processes');
  for (const container of spec.containers as Obj[]) {
    const image = setImages[container.name] ?? setImages['*'];
    if (image) container.image = image;
  }
  const metadata: Obj = { name: flags.text('copy-to'), namespace: pod.metadata.namespace };
  let name = flags.text('container');
  const known = (spec.containers as Obj[]).find((container) => container.name === name);
  if (known) Object.assign(known, containerFields(session, command), command.length > 0 && !flags.bool('arguments-only') ? { args: undefined } : {});
  else if (flags.text('image') !== '') {
    if (name === '') name = await containerName(session, pod);
    spec.containers.push({ name, ...containerFields(session, command) });
  } else if (Object.keys(setImages).length === 0) throw new CliError('you must specify image when creating new container');
  else name = '';
  const profile = flags.text('profile');
  const debugged = (spec.containers as Obj[]).find((container) => container.name === name);
  if (debugged) applyProfile(profile, 'copy', debugged, { spec });
  if (name !== '' && profile !== 'legacy') {
    for (const container of spec.containers as Obj[]) {
      if (!flags.bool('keep-liveness')) delete container.livenessProbe;
      if (!flags.bool('keep-readiness')) delete container.readinessProbe;
      if (!flags.bool('keep-startup')) delete container.startupProbe;
    }
    if (!flags.bool('keep-init-containers')) delete spec.initContainers;
  }
  if ((flags.bool('keep-labels') && profile !== 'legacy') || name === '') metadata.labels = pod.metadata.labels;
  if (flags.bool('keep-annotations') || profile === 'legacy' || name === '') metadata.annotations = pod.metadata.annotations;
  const helper = await podMapping(session);
  const created = await helper.create(pod.metadata.namespace, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  if (flags.bool('replace')) await helper.delete(pod.metadata.namespace, pod.metadata.name);
  return { pod: created, container: name };
}

async function onNode(session: Session, node: Obj, command: readonly string[]): Promise<{ pod: Obj; container: string }> {
  const name = session.flags.text('container') || 'debugger';
  const podName = `node-debugger-${node.metadata.name}-${suffix(session)}`;
  if (!session.flags.bool('quiet')) await session.out(`Creating debugging pod ${podName} with container ${name} on node ${node.metadata.name}.\n`);
  const container: Obj = { name, ...containerFields(session, command) };
  const pod: Obj = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } },
    spec: {
      containers: [container],
      nodeName: node.metadata.name,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    },
  };
  applyProfile(session.flags.text('profile'), 'node', container, pod);
  return { pod: await (await podMapping(session)).create(session.namespace, pod), container: name };
}

async function attachTo(session: Session, pod: Obj, container: string): Promise<void> {
  const { namespace, name } = pod.metadata;
  const stateOf = (seen: Obj): Obj | undefined =>
    (
      [...(seen.status?.containerStatuses ?? []), ...(seen.status?.ephemeralContainerStatuses ?? []), ...(seen.status?.initContainerStatuses ?? [])] as Obj[]
    ).find((status) => status.name === container)?.state;
  const seen = await waitForPod(session, namespace, name, 0, (current, type) => {
    if (type === 'DELETED') throw new CliError(`pods "${name}" not found`);
    const state = stateOf(current);
    return Boolean(state?.running ?? state?.terminated);
  });
  if (stateOf(seen)?.terminated) {
    for await (const chunk of openLog(session, seen, { container })) await session.process.stdout.write(chunk);
    return;
  }
  const { flags } = session;
  await attachToPod(session, seen, {
    container,
    stdin: flags.bool('stdin'),
    tty: flags.bool('tty'),
    quiet: flags.bool('quiet'),
    commandName: 'kubectl attach',
    detachKeys: '',
  });
}
