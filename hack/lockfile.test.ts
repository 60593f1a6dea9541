import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingOptionals, type LockedPackage } from './lockfile.ts';

const missing = (packages: Record<string, LockedPackage>): Record<string, LockedPackage> =>
  Object.fromEntries(missingOptionals(new Map(Object.entries(packages))));

test('an optional package without an entry is missing, with the platform of its name', () => {
  const optionalDependencies = { '@a/binding-linux-x64-musl': '1.2.3', '@a/binding-darwin-arm64': '1.2.3' };
  assert.deepEqual(missing({ 'node_modules/a': { dev: true, optionalDependencies } }), {
    'node_modules/@a/binding-linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@a/binding-darwin-arm64': {
      version: '1.2.3',
      cpu: ['arm64'],
      dev: true,
      optional: true,
      os: ['darwin'],
    },
  });
});

test('an entry nested in the package, or anywhere above it, is found', () => {
  const a = { optionalDependencies: { 'b-win32-x64': '1.0.0' } };
  assert.deepEqual(missing({ 'node_modules/a': a, 'node_modules/b-win32-x64': {} }), {});
  assert.deepEqual(missing({ 'node_modules/a': a, 'node_modules/a/node_modules/b-win32-x64': {} }), {});
  assert.deepEqual(missing({ 'node_modules/c/node_modules/a': a, 'node_modules/c/node_modules/b-win32-x64': {} }), {});
  assert.deepEqual(Object.keys(missing({ 'node_modules/a': a, 'node_modules/c/node_modules/b-win32-x64': {} })), [
    'node_modules/b-win32-x64',
  ]);
});

test('a name that tells no platform is an error, since a wrong entry would be installed everywhere', () => {
  assert.throws(
    () => missing({ 'node_modules/a': { optionalDependencies: { 'just-a-name': '1.0.0' } } }),
    /just-a-name/,
  );
});
