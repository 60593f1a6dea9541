import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownAddressCheck } from './ownAddress.ts';

test('the admin ports of this machine are its own, under any of its addresses', () => {
  const isOwn = ownAddressCheck([9000, 9091], ['10.1.2.3', 'fd00::7']);
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '10.1.2.3', 'fd00::7'])
    assert.equal(isOwn(host, 9000), true, host);
});

test('other ports, other machines and names are not', () => {
  const isOwn = ownAddressCheck([9000], ['10.1.2.3']);
  assert.deepEqual(
    [isOwn('127.0.0.1', 8000), isOwn('10.1.2.4', 9000), isOwn('api.example', 9000)],
    [false, false, false],
  );
});
