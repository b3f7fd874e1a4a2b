import type { Kernel } from '../../kernel/index.ts';
import type { Client } from '../client/types.ts';
import { busybox } from './busybox.ts';
import { mysqlImages } from './mysql.ts';
import { httpd, nginx } from './nginx.ts';
import { otherImages } from './others.ts';
import { pauseImages } from './pause.ts';
import { systemImages } from './system.ts';
import type { ImageCatalog, ImageDefinition } from './types.ts';

export type { ImageCatalog, ImageDefinition } from './types.ts';

/** Images that need nothing of the cluster. A new image is one module and one line here. */
const IMAGES: readonly ImageDefinition[] = [busybox, nginx, httpd, ...mysqlImages, ...pauseImages, ...otherImages];

/** "mysql" → docker.io/library/mysql, with its tag ("latest" when none is given; "" with a digest). */
function normalise(reference: string): { repository: string; tag: string } {
  const [name = '', digest] = reference.split('@');
  const match = /^(.*?)(?::([\w][\w.-]*))?$/.exec(name);
  const path = match?.[1] ?? name;
  const first = path.split('/')[0] ?? '';
  const hasHost = path.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  const repository = hasHost ? path : path.includes('/') ? `docker.io/${path}` : `docker.io/library/${path}`;
  return { repository, tag: match?.[2] ?? (digest ? '' : 'latest') };
}

function catalogOf(images: readonly ImageDefinition[]): ImageCatalog {
  const byRepository = new Map(images.map((image) => [image.repository, image]));
  return {
    find(reference) {
      const { repository, tag } = normalise(reference);
      const image = byRepository.get(repository);
      return image && (tag === '' || image.tags.includes('*') || image.tags.includes(tag)) ? image : undefined;
    },
  };
}

/** Every image that Pods of a cluster can pull; CoreDNS' needs the cluster's client. */
export const clusterImages = ({ kernel, client }: { kernel: Kernel; client: Client }): readonly ImageDefinition[] => [
  ...IMAGES,
  ...systemImages(kernel, client),
];

export function createImageCatalog(cluster: { kernel: Kernel; client: Client }): ImageCatalog {
  return catalogOf(clusterImages(cluster));
}
