import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKernel } from '../kernel/testing/index.ts';
import { createMachine, createVolume, volumeFileSystem } from './index.ts';

const kernel = testKernel();

function machines() {
  const layer = createVolume({ id: 'layer', kernel });
  const image = volumeFileSystem(layer);
  image.mkdir('/etc/deep', { recursive: true });
  image.writeFile('/etc/deep/file', 'image');
  image.writeFile('/etc/motd', 'hello');
  const make = () => createMachine({ kernel, hostname: 'm', layers: [layer], programs: {} });
  return { image, a: make(), b: make() };
}

test('machines share an image and keep their changes to themselves', () => {
  const { image, a, b } = machines();
  a.fs.writeFile('/etc/deep/file', 'mine');
  a.fs.writeFile('/etc/motd', '!', { append: true });
  a.fs.chmod('/etc', 0o700);
  b.fs.remove('/etc', { recursive: true });
  assert.equal(a.fs.readText('/etc/deep/file'), 'mine');
  assert.equal(a.fs.readText('/etc/motd'), 'hello!');
  assert.equal(b.fs.exists('/etc/motd'), false);
  assert.equal(image.readText('/etc/deep/file'), 'image');
  assert.equal(image.readText('/etc/motd'), 'hello');
  assert.equal(image.stat('/etc').mode, 0o755);
});

test('a volume is seen by all who mount it, through subPath and read-only too', () => {
  const { a, b } = machines();
  const volume = createVolume({ id: 'claim', kernel });
  a.fs.mount('/data', volume);
  a.fs.mkdir('/data/sub');
  b.fs.mount('/part', volume, { subPath: 'sub', readOnly: true });
  a.fs.writeFile('/data/sub/x', '1');
  assert.equal(b.fs.readText('/part/x'), '1');
  assert.throws(() => b.fs.writeFile('/part/x', '2'), { code: 'EROFS' });
  assert.throws(() => b.fs.remove('/part'), { code: 'EBUSY' });
  assert.throws(() => a.fs.rename('/data/sub/x', '/etc/x'), { code: 'EXDEV' });
  volumeFileSystem(volume).writeFile('/hosts', 'h');
  b.fs.mount('/etc/hosts', volume, { subPath: 'hosts' });
  assert.equal(b.fs.readText('/etc/hosts'), 'h');
});

test('symlinks swap atomically as configMap volumes need', () => {
  const { a } = machines();
  const { fs } = a;
  fs.mkdir('/cm/..1', { recursive: true });
  fs.writeFile('/cm/..1/key', 'one');
  fs.symlink('..1', '/cm/..data');
  fs.symlink('..data/key', '/cm/key');
  assert.equal(fs.readText('/cm/key'), 'one');
  fs.mkdir('/cm/..2');
  fs.writeFile('/cm/..2/key', 'two');
  fs.symlink('..2', '/cm/..tmp');
  fs.rename('/cm/..tmp', '/cm/..data');
  assert.equal(fs.readText('/cm/key'), 'two');
  assert.equal(fs.realpath('/cm/key'), '/cm/..2/key');
  fs.symlink('loop', '/loop');
  assert.throws(() => fs.readFile('/loop'), { code: 'ELOOP' });
});

test('errors are those of the system calls', () => {
  const { fs } = machines().a;
  assert.throws(() => fs.readFile('/nope'), { code: 'ENOENT', message: 'No such file or directory' });
  assert.throws(() => fs.readFile('/etc'), { code: 'EISDIR' });
  assert.throws(() => fs.readdir('/etc/motd'), { code: 'ENOTDIR' });
  assert.throws(() => fs.readFile('/etc/motd/x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.mkdir('/etc'), { code: 'EEXIST' });
  assert.throws(() => fs.mkdir('/a/b'), { code: 'ENOENT' });
  assert.throws(() => fs.remove('/etc'), { code: 'ENOTEMPTY' });
  assert.throws(() => fs.rename('/etc', '/etc/deep/x'), { code: 'EINVAL' });
  assert.throws(() => fs.remove('/proc/1', { recursive: true }));
});

test('hard links count and share', () => {
  const { fs } = machines().a;
  fs.link('/etc/motd', '/motd');
  assert.equal(fs.stat('/motd').nlink, 2);
  assert.equal(fs.stat('/motd').inode, fs.stat('/etc/motd').inode);
  fs.writeFile('/motd', 'both');
  assert.equal(fs.readText('/etc/motd'), 'both');
  fs.remove('/etc/motd');
  assert.equal(fs.readText('/motd'), 'both');
  assert.equal(fs.stat('/motd').nlink, 1);
});

test('/proc and /dev are there without having been made', () => {
  const { fs } = machines().a;
  assert.match(fs.readText('/proc/uptime'), /^\d+\.\d\d /);
  assert.match(fs.readText('/proc/mounts') || 'none', /overlay|none/);
  assert.ok(fs.readdir('/dev').includes('null'));
  assert.equal(fs.lstat('/dev/stdout').type, 'symlink');
});
