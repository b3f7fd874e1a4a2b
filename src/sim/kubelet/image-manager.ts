import { type Kernel, Random, randomHex } from '../../kernel/index.ts';
import { DURATIONS, drawMs } from '../durations.ts';
import type { ImageCatalog, ImageDefinition } from '../images/types.ts';
import { Backoff } from './backoff.ts';
import { goDuration } from './time-format.ts';

const HELPER_IMAGE = '/rancher/mirrored-library-busybox';

/** An image on the node. */
export interface LocalImage {
  definition: ImageDefinition;
  /** Normalised reference by tag ("docker.io/library/mysql:8.1"), the first that the node knew of the image. */
  reference: string;
  /** Reference by digest ("docker.io/library/mysql@sha256:…"). */
  digestReference: string;
}

export interface ImageEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export type EnsureImageResult = { image: LocalImage } | { error: string; message: string };

/** Pieces of an image reference. */
export interface ImageReference {
  repository: string;
  tag: string;
  digest: string;
}

/** As distribution/reference normalises it: docker.io and library/ are added, the tag defaults to latest. Undefined: cannot be parsed. */
export function parseImageReference(text: string): ImageReference | undefined {
  const match = /^([^@]*?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text);
  if (!match?.[1]) return undefined;
  const name = match[1];
  const slash = name.indexOf('/');
  const head = slash < 0 ? '' : name.slice(0, slash);
  const isHost = head.includes('.') || head.includes(':') || head === 'localhost';
  const host = isHost ? head : 'docker.io';
  let path = isHost ? name.slice(slash + 1) : name;
  if (host === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (!/^[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*)*$/.test(path)) return undefined;
  const digest = match[3] ?? '';
  return { repository: `${host}/${path}`, tag: match[2] ?? (digest ? '' : 'latest'), digest };
}

/** Finds, pulls and remembers images of one node (models `pkg/kubelet/images`). */
export class ImageManager {
  readonly #kernel: Kernel;
  readonly #catalog: ImageCatalog;
  readonly #local = new Map<string, LocalImage>();
  readonly #backoff = new Backoff(10_000, 300_000);
  readonly #previousError = new Map<string, string>();
  /** What the node's way to the registries carries; undefined: pulls take what they took on the reference cluster. */
  bitsPerSecond: number | undefined;

  constructor(kernel: Kernel, catalog: ImageCatalog) {
    this.#kernel = kernel;
    this.#catalog = catalog;
  }

  /** Images on the node, in the order they came. */
  list(): readonly LocalImage[] {
    return [...this.#local.values()];
  }

  /** How many images are on the node. */
  get count(): number {
    return this.#local.size;
  }

  /** Puts an image on the node without pulling (it came with the machine). */
  preload(reference: string): void {
    const parsed = parseImageReference(reference);
    const definition = this.#catalog.find(reference);
    if (parsed && definition) this.#add(parsed, definition);
  }

  #add(reference: ImageReference, definition: ImageDefinition): LocalImage {
    const full = fullReference(reference);
    const known = fullReference({ ...reference, tag: definition.knownAs?.[reference.tag] ?? reference.tag });
    const image: LocalImage = { definition, reference: known, digestReference: `${reference.repository}@${reference.digest || digestOf(definition)}` };
    this.#local.set(full, image);
    return image;
  }

  /** Models `EnsureImageExists`; `recordEvent` gets Pulling, Pulled, Failed and BackOff in upstream's words. */
  async ensure(podUid: string, requested: string, policy: string, recordEvent: (event: ImageEvent) => void): Promise<EnsureImageResult> {
    const reference = parseImageReference(requested);
    if (!reference) {
      const message = `Failed to apply default image tag "${requested}": couldn't parse image name "${requested}": invalid reference format`;
      recordEvent({ type: 'Warning', reason: 'InspectFailed', message });
      return { error: 'InvalidImageName', message };
    }
    const present = this.#local.get(fullReference(reference));
    if (policy !== 'Always' && present) {
      recordEvent({ type: 'Normal', reason: 'Pulled', message: `Container image "${requested}" already present on machine and can be accessed by the pod` });
      return { image: present };
    }
    if (policy === 'Never') {
      const message = `Container image "${requested}" is not present with pull policy of Never`;
      recordEvent({ type: 'Warning', reason: 'ErrImageNeverPull', message });
      return { error: 'ErrImageNeverPull', message };
    }
    return this.#pull(podUid, requested, reference, recordEvent);
  }

  async #pull(podUid: string, requested: string, reference: ImageReference, recordEvent: (event: ImageEvent) => void): Promise<EnsureImageResult> {
    const key = `${podUid}_${requested}`;
    if (this.#backoff.isInBackOffSinceUpdate(key, this.#kernel.now())) {
      const message = `Back-off pulling image "${requested}"`;
      recordEvent({ type: 'Normal', reason: 'BackOff', message });
      const previous = this.#previousError.get(key);
      return { error: 'ImagePullBackOff', message: previous ? `${message}: ${previous}` : message };
    }
    this.#previousError.delete(key);
    recordEvent({ type: 'Normal', reason: 'Pulling', message: `Pulling image "${requested}"` });
    const definition = this.#catalog.find(requested);
    const range = !definition ? DURATIONS.imagePullFailMs : reference.repository.endsWith(HELPER_IMAGE) ? DURATIONS.helperImagePullMs : DURATIONS.imagePullMs;
    const carriedMs = this.bitsPerSecond === undefined ? 0 : Math.ceil(((definition?.sizeBytes ?? 0) * 8_000) / this.bitsPerSecond);
    const durationMs = drawMs(this.#kernel.random, range) + carriedMs;
    await this.#kernel.sleep(durationMs);
    if (!definition) {
      const message = pullFailure(reference, this.#catalog);
      recordEvent({ type: 'Warning', reason: 'Failed', message: `Failed to pull image "${requested}": ${message}` });
      this.#backoff.next(key, this.#kernel.now());
      this.#previousError.set(key, `ErrImagePull: ${message}`);
      return { error: 'ErrImagePull', message };
    }
    const took = goDuration(durationMs);
    const message = `Successfully pulled image "${requested}" in ${took} (${took} including waiting). Image size: ${definition.sizeBytes} bytes.`;
    recordEvent({ type: 'Normal', reason: 'Pulled', message });
    return { image: this.#add(reference, definition) };
  }

  /** The Pod is gone: its back-offs are forgotten. */
  forgetPod(podUid: string): void {
    this.#backoff.forget(`${podUid}_`);
    for (const key of this.#previousError.keys()) if (key.startsWith(`${podUid}_`)) this.#previousError.delete(key);
  }
}

function fullReference(reference: ImageReference): string {
  return reference.digest ? `${reference.repository}@${reference.digest}` : `${reference.repository}:${reference.tag}`;
}

/** A made-up but fixed digest of an image's content. */
function digestOf(definition: ImageDefinition): string {
  return `sha256:${randomHex(new Random(`image:${definition.repository}:${definition.sizeBytes}`), 64)}`;
}

/** What containerd says of an image that cannot be pulled. */
function pullFailure(reference: ImageReference, catalog: ImageCatalog): string {
  const full = fullReference(reference);
  const [host = '', ...rest] = reference.repository.split('/');
  const path = rest.join('/');
  const prefix = `failed to pull and unpack image "${full}": failed to resolve reference "${full}": `;
  if (host === 'localhost' || host.startsWith('localhost:')) {
    const port = host.split(':')[1] ?? '443';
    return `${prefix}failed to do request: Head "https://${host}/v2/${path}/manifests/${reference.tag || reference.digest}": dial tcp [::1]:${port}: connect: connection refused`;
  }
  const known = catalog.find(reference.repository) !== undefined || catalog.find(`${reference.repository}:latest`) !== undefined;
  if (host === 'docker.io' && !known) {
    return `${prefix}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
  }
  if (host !== 'docker.io' && !known && !['registry.k8s.io', 'quay.io', 'ghcr.io', 'gcr.io', 'public.ecr.aws', 'mcr.microsoft.com'].includes(host)) {
    return `${prefix}failed to do request: Head "https://${host}/v2/${path}/manifests/${reference.tag || reference.digest}": dial tcp: lookup ${host.split(':')[0]} on 172.18.0.1:53: no such host`;
  }
  return `rpc error: code = NotFound desc = ${prefix}${full}: not found`;
}
