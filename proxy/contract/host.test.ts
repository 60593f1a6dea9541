import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normalizeHost } from './host.ts';

describe('the host of a request', () => {
  const table: readonly (readonly [header: string, host: string])[] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com:8080', 'example.com'],
    ['example.com:', 'example.com'],
    ['example.com.', 'example.com'],
    ['example.com.:80', 'example.com'],
    ['localhost', 'localhost'],
    ['my_service.default.svc', 'my_service.default.svc'],
    ['10.0.0.1:80', '10.0.0.1'],
    ['[::1]', '[::1]'],
    ['[0:0:0:0:0:0:0:1]:8080', '[::1]'],
    ['[2001:DB8::A]', '[2001:db8::a]'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  ];
  for (const [header, host] of table) {
    test(`${header} is ${host}`, () => assert.equal(normalizeHost(header), host));
  }
});

describe('a host is refused', () => {
  const table: readonly (readonly [header: string, why: string])[] = [
    ['', 'it is empty'],
    ['.', 'it has no label'],
    ['a..b', 'a label is empty'],
    ['.example.com', 'a label is empty'],
    ['example.com..', 'it ends in two dots'],
    ['exa mple.com', 'it holds a space'],
    ['example.com\n', 'it holds a newline'],
    ['user@example.com', 'it holds user information'],
    ['example.com/path', 'it holds a path'],
    ['example.com:80:80', 'it has two ports'],
    ['example.com:x', 'its port is no number'],
    ['example.com:65536', 'its port is too large'],
    ['example.com:123456', 'its port is too large'],
    ['-a.example.com', 'a label begins with a hyphen'],
    ['a%2eexample.com', 'it holds an escape'],
    ['ex\u00e4mple.com', 'it is not ASCII'],
    ['*.example.com', 'a wildcard is no host'],
    [`${'a'.repeat(64)}.com`, 'a label is over 63 characters'],
    [`${'a.'.repeat(127)}com`, 'it is over 253 characters'],
    ['::1', 'an IPv6 address has no brackets'],
    ['[::1', 'a bracket is missing'],
    ['[::1]x', 'something other than a port follows the address'],
    ['[fe80::1%eth0]', 'it has a zone'],
    ['[example.com]', 'there is no address in the brackets'],
    ['[]', 'there is no address in the brackets'],
  ];
  for (const [header, why] of table) {
    test(`${JSON.stringify(header)}: ${why}`, () => assert.equal(normalizeHost(header), undefined));
  }
});

const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'B', '.', '-', '_', '1', ':', '[', ']', '@', '\u00e9'), maxLength: 12 }),
  fc
    .tuple(fc.integer({ min: 60, max: 66 }), fc.constantFrom('', '.com', ':80', '-', '.'))
    .map(([n, end]) => 'a'.repeat(n) + end),
  fc.tuple(fc.integer({ min: 120, max: 130 }), fc.constantFrom('a', '', ':1')).map(([n, end]) => 'a.'.repeat(n) + end),
);

test('a host that was normalised stays as it is', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const host = normalizeHost(text);
      if (host !== undefined) assert.equal(normalizeHost(host), host);
    }),
    { seed: 13, numRuns: 3_000 },
  );
});

test('a host is read in one pass as it would be by its grammar', () => {
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
  fc.assert(
    fc.property(texts, (text) => {
      if (text.startsWith('[')) return;
      const [, name = '', port = ''] = /^([^:]*)((?::.*)?)$/s.exec(text) ?? [];
      const bare = name.replace(/\.$/, '').toLowerCase();
      const isName = bare.length <= 253 && bare.split('.').every((part) => label.test(part));
      const isPort = port === '' || (/^:[0-9]{0,5}$/.test(port) && Number(port.slice(1)) <= 65_535);
      assert.equal(normalizeHost(text), isName && isPort ? bare : undefined, text);
    }),
    { seed: 14, numRuns: 3_000 },
  );
});
