import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../kernel/index.ts';
import { GTID, type Pod, setup } from './testing/pods.ts';

const HISTORIES = 200;
const STEPS = 10;

/**
 * A primary and its replicas, as a StatefulSet would run them: every Pod has a volume, a name and, after a restart, another
 * address. What happens to them is chance's.
 */
class History {
  readonly random: Random;
  readonly #world: ReturnType<typeof setup>;
  readonly #pods = new Map<number, Pod>();
  /** Rows that the primary acknowledged. */
  readonly rows = new Map<number, string>();

  constructor(seed: string) {
    this.random = new Random(seed);
    this.#world = setup(seed);
  }

  pod(ordinal: number): Pod {
    return this.#pods.get(ordinal) as Pod;
  }

  get replicas(): number[] {
    return [...this.#pods.keys()].filter((ordinal) => ordinal > 0);
  }

  wait(ms: number): Promise<boolean> {
    return this.#world.wait(ms);
  }

  async start(ordinal: number, dump?: string): Promise<void> {
    const files: Record<string, string> = dump === undefined ? {} : { '/docker-entrypoint-initdb.d/clone.sql': dump };
    const pod = this.#world.start(`db-${ordinal}`, { cnf: `${GTID}server-id=${100 + ordinal}\n${ordinal === 0 ? '' : 'super-read-only=ON\n'}`, files });
    this.#pods.set(ordinal, pod);
    await this.#world.kernel.advance({ untilMs: this.#world.kernel.now() + 8000, until: () => /port: 3306/.test(pod.log()) });
  }

  /** What the side-car of the lesson does: tells a replica where its primary is now. */
  async follow(ordinal: number): Promise<void> {
    await this.pod(ordinal).sql(
      `STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST='${this.pod(0).ip}', SOURCE_USER='repl', SOURCE_PASSWORD='r', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA`,
    );
  }

  /** Politely, or with the node; the volume stays. */
  async restart(ordinal: number): Promise<void> {
    await (this.random.int(2) === 0 ? this.pod(ordinal).crash() : this.pod(ordinal).stop());
    await this.start(ordinal);
    if (ordinal === 0) for (const replica of this.replicas) await this.follow(replica);
    else await this.follow(ordinal);
  }

  async write(step: number): Promise<void> {
    const id = this.random.int(6);
    const value = `s${step}`;
    const kind = this.random.int(4);
    const primary = this.pod(0);
    if (kind === 0 && (await primary.sql(`INSERT INTO d.t VALUES (${id}, '${value}')`)) === '') this.rows.set(id, value);
    if (kind === 1 && (await primary.sql(`UPDATE d.t SET v = '${value}' WHERE id = ${id}`)) === '' && this.rows.has(id)) this.rows.set(id, value);
    if (kind === 2 && (await primary.sql(`DELETE FROM d.t WHERE id = ${id}`)) === '') this.rows.delete(id);
    if (
      kind === 3 &&
      (await primary.sql(`BEGIN; REPLACE INTO d.t VALUES (${id}, '${value}'); ${this.random.int(2) === 0 ? 'COMMIT; DO 0' : 'ROLLBACK; DO 1'}`)) === ''
    ) {
      const now = await primary.sql(`SELECT v FROM d.t WHERE id = ${id}`);
      assert.ok(now === `${value}\n` || now === (this.rows.has(id) ? `${this.rows.get(id)}\n` : ''), 'a transaction is whole or nothing');
      if (now === `${value}\n`) this.rows.set(id, value);
    }
  }

  /** A node dies while a transaction is open on the primary. */
  async crashWithinTransaction(step: number): Promise<void> {
    this.pod(0).begin('mysql', '-e', `BEGIN; REPLACE INTO d.t VALUES (0, 'open${step}'), (1, 'open${step}'); SELECT SLEEP(30); COMMIT`);
    await this.wait(300);
    await this.pod(0).crash();
    await this.start(0);
    for (const replica of this.replicas) await this.follow(replica);
  }

  async fullVolume(step: number): Promise<void> {
    const volume = this.#world.volumes.get('db-0');
    assert.ok(volume);
    volume.capacityBytes = volume.usedBytes() + 50;
    assert.match(await this.pod(0).sql(`REPLACE INTO d.t VALUES (2, REPEAT('full${step}', 50))`), /ERROR 1114/);
    volume.capacityBytes = undefined;
  }

  /** A replica more, filled from a dump by its init container; or one less, whose volume stays. */
  async scale(): Promise<void> {
    const last = Math.max(...this.replicas);
    if (last > 1) {
      await this.pod(last).stop();
      this.#pods.delete(last);
      return;
    }
    const known = this.#world.volumes.has('db-2');
    await this.start(2, known ? undefined : await this.pod(0).exec('mysqldump', '--all-databases', '--single-transaction'));
    await this.follow(2);
  }

  async play(): Promise<void> {
    await this.start(0);
    await this.pod(0).sql(
      "CREATE USER 'repl'@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)",
    );
    await this.start(1);
    await this.follow(1);
    for (let step = 0; step < STEPS; step++) {
      const chance = this.random.int(16);
      if (chance < 9) await this.write(step);
      else if (chance < 11) await this.restart(this.replicas[this.random.int(this.replicas.length)] as number);
      else if (chance === 11) await this.restart(0);
      else if (chance === 12) await this.crashWithinTransaction(step);
      else if (chance === 13) await this.fullVolume(step);
      else if (chance === 14) await this.scale();
      else await this.wait(this.random.int(1500));
    }
    await this.wait(3000);
  }
}

test(`${HISTORIES} random histories of writes, crashes, restarts, scaling and full disks: nothing acknowledged is lost, replicas converge`, async () => {
  for (let round = 0; round < HISTORIES; round++) {
    const history = new History(`history:${round}`);
    await history.play();
    const expected = [...history.rows]
      .sort(([a], [b]) => a - b)
      .map(([id, value]) => `${id}\t${value}\n`)
      .join('');
    for (const ordinal of [0, ...history.replicas])
      assert.equal(await history.pod(ordinal).sql('SELECT * FROM d.t'), expected, `seed history:${round}, db-${ordinal}`);
  }
});
