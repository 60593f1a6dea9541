import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientBehind, plainAddress, trustCheck } from './trustedProxies.ts';

describe('trusted proxies', () => {
  test('addresses and CIDRs of both families are compared as numbers', () => {
    const isTrusted = trustCheck(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);
    assert.equal(isTrusted('10.255.0.1'), true);
    assert.equal(isTrusted('192.0.2.1'), true);
    assert.equal(isTrusted('2001:0db8:0:0::1'), true);
    assert.equal(isTrusted('11.0.0.1'), false);
    assert.equal(isTrusted('2001:db9::1'), false);
    assert.equal(isTrusted(''), false);
  });

  test('the client is the first address from the end that is no trusted proxy', () => {
    const isTrusted = trustCheck(['10.0.0.0/8']);
    assert.equal(clientBehind('10.0.0.1', ['1.1.1.1, 2.2.2.2, 10.0.0.2'], isTrusted), '2.2.2.2');
    assert.equal(clientBehind('10.0.0.1', ['1.1.1.1', '2.2.2.2, 10.0.0.2'], isTrusted), '2.2.2.2');
    assert.equal(clientBehind('10.0.0.1', [], isTrusted), '10.0.0.1');
    assert.equal(clientBehind('10.0.0.1', ['10.0.0.3'], isTrusted), '10.0.0.3');
  });

  test('an entry that is no address ends the reading', () => {
    const isTrusted = trustCheck(['10.0.0.0/8']);
    assert.equal(clientBehind('10.0.0.1', ['1.1.1.1, unknown, 10.0.0.2'], isTrusted), '10.0.0.2');
    assert.equal(clientBehind('10.0.0.1', ['<script>'], isTrusted), '10.0.0.1');
  });

  test('IPv4 over IPv6 sockets is IPv4', () => {
    assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  });
});
