import { lazyProgram } from '../../shell/lazy.ts';
import type { Program } from '../../unix/types.ts';
import { busyboxImage } from './base.ts';
import { bash } from './shell-programs.ts';

/**
 * mysql and mariadb: a small SQL engine of our own behind MySQL's face, in `mysql/`, loaded when a container of the image
 * first runs something of it. It speaks the text half of MySQL's protocol, so that other clients can connect. Left out:
 * TLS, the protocol of prepared statements, gap locks, views, triggers, stored programs, window functions, EXPLAIN of a
 * statement, replication by file and position; each says that it is not simulated yet.
 */
const mysqld: Program = lazyProgram(async () => (await import('./mysql/daemon.ts')).mysqldProgram);
const entrypoint: Program = lazyProgram(async () => (await import('./mysql/entrypoint.ts')).entrypointProgram);
const client = (name: 'mysql' | 'mysqladmin' | 'mysqldump'): Program => lazyProgram(async () => (await import('./mysql/client.ts')).clientPrograms[name]);

function mysqlImage(repository: string, tags: readonly string[], sizeBytes: number) {
  return busyboxImage({
    repository,
    tags,
    sizeBytes,
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['mysqld'],
    exposedPorts: [3306],
    env: { MYSQL_MAJOR: '8.1', MYSQL_VERSION: '8.1.0-1.el8' },
    accounts: [{ name: 'mysql', uid: 999, gid: 999, home: '/var/lib/mysql' }],
    programs: {
      '/usr/local/bin/docker-entrypoint.sh': entrypoint,
      '/usr/sbin/mysqld': mysqld,
      '/usr/bin/mysql': client('mysql'),
      '/usr/bin/mysqladmin': client('mysqladmin'),
      '/usr/bin/mysqldump': client('mysqldump'),
      '/bin/bash': bash,
    },
    build(fs) {
      for (const path of ['/var/lib/mysql', '/etc/mysql/conf.d', '/docker-entrypoint-initdb.d']) fs.mkdir(path, { recursive: true });
    },
    usage: { cpuMillicores: 8, memoryBytes: 380 << 20 },
  });
}

export const mysqlImages = [
  // On the recorded cluster's nodes 8.1 was the image they already had as 8.0 (tests/conformance/corpus/sts-create-ordered.json).
  {
    ...mysqlImage('docker.io/library/mysql', ['latest', '5.7', '8', '8.0', '8.1', '8.1.0', '8.2', '8.4', '9', '9.0', 'lts'], 2_130_905),
    knownAs: { '8.1': '8.0' },
  },
  mysqlImage('docker.io/library/mariadb', ['latest', '10', '10.6', '11', '11.4', 'lts'], 105_234_117),
];
