import { busyboxImage } from './base.ts';

/** docker.io/library/busybox; size as the reference cluster's events show it. */
export const busybox = busyboxImage({
  repository: 'docker.io/library/busybox',
  tags: [
    'latest',
    '1',
    '1.28',
    '1.28.4',
    '1.31',
    '1.32',
    '1.33',
    '1.34',
    '1.35',
    '1.35.0',
    '1.36',
    '1.36.1',
    '1.37',
    '1.37.0',
    'stable',
    'glibc',
    'musl',
    'uclibc',
  ],
  sizeBytes: 2130691,
  cmd: ['sh'],
});
