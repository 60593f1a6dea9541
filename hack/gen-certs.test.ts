import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const SCRIPT = join(import.meta.dirname, 'gen-certs.sh');
const base = mkdtempSync(join(tmpdir(), 'certs-'));
after(() => rmSync(base, { recursive: true, force: true }));

const FILES = ['admin-ca', 'admin-cert', 'admin-key', 'client-cert', 'client-key', 'operator-cert', 'operator-key'];

function generate(out: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('/bin/sh', [SCRIPT, '--out', out, ...args], { encoding: 'utf8' });
}

function readAll(out: string): string[] {
  return FILES.map((name) => readFileSync(join(out, `${name}.pem`), 'utf8'));
}

test('a set is made: every certificate is of the CA, has its key, and keys are for the owner only', () => {
  const out = join(base, 'first');
  const made = generate(out);
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual(readdirSync(out).toSorted(), FILES.map((name) => `${name}.pem`).toSorted());
  const ca = new X509Certificate(readFileSync(join(out, 'admin-ca.pem')));
  assert.equal(ca.ca, true);
  for (const name of ['admin', 'client', 'operator']) {
    const certificate = new X509Certificate(readFileSync(join(out, `${name}-cert.pem`)));
    const key = createPrivateKey(readFileSync(join(out, `${name}-key.pem`)));
    assert.ok(certificate.verify(ca.publicKey), name);
    assert.ok(certificate.checkPrivateKey(key), name);
    assert.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(statSync(join(out, `${name}-key.pem`)).mode & 0o777, 0o600);
  }
});

test('the admin certificate is for localhost in all its forms, the others are for clients', () => {
  const out = join(base, 'uses');
  generate(out);
  const read = (name: string): X509Certificate => new X509Certificate(readFileSync(join(out, `${name}-cert.pem`)));
  const admin = read('admin');
  assert.equal(admin.checkHost('localhost'), 'localhost');
  assert.equal(admin.checkIP('127.0.0.1'), '127.0.0.1');
  assert.ok(admin.checkIP('::1') !== undefined);
  assert.deepEqual(admin.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.deepEqual(read('client').keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.match(read('operator').subject, /CN=operator/);
});

test('a good set is kept as it is; one with a broken part or soon over is replaced whole', () => {
  const out = join(base, 'kept');
  generate(out);
  const first = readAll(out);
  assert.match(generate(out).stdout, /still good/);
  assert.deepEqual(readAll(out), first);

  writeFileSync(join(out, 'client-key.pem'), 'broken');
  assert.equal(generate(out, '--days', '1').status, 0);
  const second = readAll(out);
  for (const [index, text] of second.entries()) assert.notEqual(text, first[index]);

  assert.match(generate(out).stdout, /made certificates/, 'a certificate for one day is over within two');
});

test('without openssl the error says what to install', () => {
  const run = spawnSync('/bin/sh', [SCRIPT, '--out', join(base, 'none')], { encoding: 'utf8', env: { PATH: '' } });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /openssl is not on PATH; install/);
});

test('a wrong flag is a usage error and makes nothing', () => {
  assert.equal(generate(join(base, 'wrong'), '--day', '3').status, 2);
  assert.equal(generate(join(base, 'wrong'), '--days', 'many').status, 2);
  assert.ok(!readdirSync(base).includes('wrong'));
});
