import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normalizePath } from './path.ts';

const RUNS = process.env['TORTURE'] === '1' ? 100_000 : 5_000;

describe('the normal form of a path', () => {
  const table: readonly (readonly [path: string, normal: string, why: string])[] = [
    ['/', '/', 'the root stays'],
    ['/a/b', '/a/b', 'nothing to do'],
    ['/a/b/', '/a/b/', 'a trailing slash stays'],
    ["/a-._~!$&'()*+,;=:@b", "/a-._~!$&'()*+,;=:@b", 'all of pchar stays'],
    ['/%7euser', '/~user', 'unreserved characters are decoded'],
    ['/%41%62%30', '/Ab0', 'unreserved characters are decoded'],
    ['/caf%c3%a9', '/caf%C3%A9', 'hex digits are upper-cased'],
    ['/%252e', '/%252e', 'an escaped percent sign is not decoded twice'],
    ['/a%3Fb%23c', '/a%3Fb%23c', 'an escaped question mark is no query'],
    ['//a///b', '/a/b', 'slashes are merged'],
    ['/a/./b', '/a/b', 'dot segments are resolved'],
    ['/a/../b', '/b', 'dot segments are resolved'],
    ['/a/%2e%2E/b', '/b', 'escaped dot segments are dot segments'],
    ['/a/.%2e/b', '/b', 'half-escaped dot segments are dot segments'],
    ['/../../a', '/a', 'nothing is above the root'],
    ['/a/..', '/', 'the last segment may be a dot segment'],
    ['/a/b/..', '/a/', 'and leaves a folder'],
    ['/a/.', '/a/', 'and leaves a folder'],
    ['/a//../b', '/b', 'slashes are merged before dot segments are resolved'],
    ['/.well-known/x', '/.well-known/x', 'a segment that only begins with a dot stays'],
    ['/a/...', '/a/...', 'three dots are a name'],
    ['/a/..b', '/a/..b', 'so are two and a letter'],
  ];
  for (const [path, normal, why] of table) {
    test(`${path} becomes ${normal}: ${why}`, () => assert.equal(normalizePath(path), normal));
  }

  test('is the very same string when nothing needs doing', () => {
    const path = ['', 'api', 'v1', 'users', '123'].join('/');
    assert.equal(Object.is(normalizePath(path), path), true);
  });
});

describe('a path is refused', () => {
  const table: readonly (readonly [path: string, why: string])[] = [
    ['', 'it is empty'],
    ['a/b', 'it does not begin with a slash'],
    ['*', 'it does not begin with a slash'],
    ['/a b', 'it holds a space'],
    ['/a\tb', 'it holds a control character'],
    ['/a\u0000b', 'it holds NUL'],
    ['/a\u007fb', 'it holds DEL'],
    ['/caf\u00e9', 'it holds a raw byte beyond ASCII'],
    ['/a\\b', 'it holds a backslash, which some servers take for a slash'],
    ['/a#b', 'it holds a fragment'],
    ['/a?b', 'a query is not part of it'],
    ['/a%', 'an escape is incomplete'],
    ['/a%2', 'an escape is incomplete'],
    ['/a%zz', 'an escape is no hex'],
    ['/a%00b', 'it escapes NUL'],
    ['/a%0Ab', 'it escapes a newline'],
    ['/a%7F', 'it escapes DEL'],
    ['/a%2Fb', 'it escapes a slash, which servers read in two ways'],
    ['/a%2fb', 'it escapes a slash, which servers read in two ways'],
    ['/public/..%2Fadmin', 'it escapes a slash after a dot segment'],
    ['/a%5Cb', 'it escapes a backslash'],
    ['/public/..;/admin', 'it has a dot segment with parameters, by which Tomcat climbs'],
    ['/public/%2e.;x=1/admin', 'it has an escaped dot segment with parameters'],
    ['/%41\u0000', 'what follows an escape is looked at too'],
    ['//a b', 'what follows a double slash is looked at too'],
  ];
  for (const [path, why] of table) {
    test(`${JSON.stringify(path)}: ${why}`, () => assert.equal(normalizePath(path), undefined));
  }
});

/** Pieces of which attacks are made. */
const pieces = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  'a',
  'B',
  '%2e',
  '%2E',
  '%2f',
  '%5c',
  '%41',
  '%c3',
  '%',
  ';',
  '~',
  '%25',
  '\\',
);
const paths = fc.array(pieces, { maxLength: 10 }).map((list) => `/${list.join('')}`);

test('a normal form is normal: another pass changes nothing, and no dot segment or double slash is left', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const normal = normalizePath(path);
      if (normal === undefined) return;
      assert.equal(normalizePath(normal), normal);
      assert.match(normal, /^\/[!-~]*$/);
      assert.doesNotMatch(normal, /\/\/|\/\.{1,2}(\/|$)|\\|%2f|%5c/i);
    }),
    { seed: 11, numRuns: RUNS },
  );
});

test('resolves paths as the URL standard does, where both take them', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const normal = normalizePath(path);
      if (normal === undefined) return;
      const merged = path.replace(/\/{2,}/g, '/');
      const theirs = new URL(`http://h${merged}`).pathname.replace(/\/{2,}/g, '/');
      // The standard leaves escapes in place, other than those of dot segments.
      const escapes = theirs.replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase());
      assert.equal(normal, escapes.replaceAll('%41', 'A').replaceAll('%2E', '.'));
    }),
    { seed: 12, numRuns: RUNS },
  );
});
