import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../store/testkit.ts';
import { AccessLogWriter } from './accessLogWriter.ts';

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await holds());) {
    assert.ok(performance.now() < end, `never happened: ${what}`);
    await sleep(2);
  }
}

function open(t: TestContext, file: string) {
  const pending = new Int32Array(new SharedArrayBuffer(4));
  const seen = { errors: 0, dropped: 0 };
  const writer = new AccessLogWriter({
    file,
    pendingBytes: pending,
    onError: () => (seen.errors += 1),
    onDropped: (lines) => (seen.dropped += lines),
    retryMs: { first: 5, most: 20 },
  });
  t.after(async () => writer.close());
  const write = (lines: string) => {
    pending[0] = (pending[0] ?? 0) + lines.length;
    writer.write(lines);
  };
  return { writer, write, pending, seen };
}

test('a disk that is full loses lines, counts them and is written to again when there is room', async (t) => {
  const path = join(await temporaryFolder(t), 'access.log');
  await symlink('/dev/full', path);
  const { write, pending, seen } = open(t, path);
  write('one\ntwo\n');
  await until('counted', () => seen.dropped === 2);
  write('three\n');
  await until('counted', () => seen.dropped === 3);
  assert.deepEqual([seen.errors, pending[0]], [1, 0]);
  await rm(path);
  let sent = 3;
  await until('written again', async () => {
    write(`${(sent += 1)}\n`);
    return (await readFile(path, 'utf8').catch(() => '')) !== '';
  });
  await until('all out', () => pending[0] === 0);
  const written = (await readFile(path, 'utf8')).split('\n').length - 1;
  assert.equal(written + seen.dropped, sent);
  assert.equal(seen.errors, 1, 'one outage is said once');
});

test('a folder that is not there costs its lines, and memory nothing', async (t) => {
  const { write, pending, seen } = open(t, join(await temporaryFolder(t), 'not', 'there.log'));
  for (let i = 0; i < 100; i += 1) write('line\n');
  await until('counted', () => seen.dropped === 100);
  assert.deepEqual([seen.errors, pending[0]], [1, 0]);
});

test('a file that was moved away is opened anew when told to, and no line is lost between', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'access.log');
  const { writer, write, pending, seen } = open(t, path);
  write('before\n');
  await until('written', () => pending[0] === 0);
  await rename(path, join(folder, 'access.log.1'));
  write('between\n');
  writer.reopen();
  write('after\n');
  await writer.close();
  assert.equal(await readFile(join(folder, 'access.log.1'), 'utf8'), 'before\nbetween\n');
  assert.equal(await readFile(path, 'utf8'), 'after\n');
  assert.equal(seen.dropped, 0);
});

test('a pipe that is read slowly gets every line, though the process exits as soon as the log is closed', async () => {
  const lines = 20_000;
  const program = `
    import { AccessLogWriter } from '${new URL('./accessLogWriter.ts', import.meta.url).href}';
    const log = new AccessLogWriter({
      file: undefined, pendingBytes: new Int32Array(1), onError: () => {}, onDropped: () => {},
    });
    for (let i = 0; i < ${lines}; i += 100) log.write('a line that is not very long\\n'.repeat(100));
    await log.close();
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await sleep(300);
  let read = 0;
  for await (const chunk of child.stdout) read += String(chunk).split('\n').length - 1;
  assert.equal(read, lines);
});

test('a pipe that nobody reads does not keep the process for ever', async () => {
  const program = `
    import { AccessLogWriter } from '${new URL('./accessLogWriter.ts', import.meta.url).href}';
    const log = new AccessLogWriter({
      file: undefined, pendingBytes: new Int32Array(1), onError: () => {}, onDropped: () => {},
    });
    log.write('x'.repeat(1024 * 1024) + '\\n');
    await log.close();
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  child.stdout.destroy();
  assert.equal(code, 0);
});
