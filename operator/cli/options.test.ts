import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOperatorOptions, type OperatorOptions } from './options.ts';

const NEEDED = ['--manifests', 'm', '--store-dir', 's', '--keys-dir', 'k'];
const TLS = ['--ack-ca-file', 'ca', '--ack-cert-file', 'cert', '--ack-key-file', 'key'];

function read(...flags: string[]): OperatorOptions | readonly string[] {
  const result = readOperatorOptions([...NEEDED, ...flags], {});
  if (!result.ok) return result.error;
  assert.ok('options' in result.value);
  return result.value.options;
}

function membersOf(...flags: string[]): OperatorOptions['members'] {
  const options = read(...TLS, ...flags);
  assert.ok('members' in options, JSON.stringify(options));
  return options.members;
}

describe('--proxy', () => {
  test('is of the default fleet unless it names another', () => {
    const flags = ['--default-fleet', 'edge/main', '--proxy', 'a=https://h:1', '--proxy', 'edge/other/b=https://h:2/'];
    assert.deepEqual(membersOf(...flags), [
      { podUid: 'a', fleet: 'edge/main', url: 'https://h:1' },
      { podUid: 'b', fleet: 'edge/other', url: 'https://h:2' },
    ]);
  });

  test('without any fleet is refused', () => {
    assert.deepEqual(read(...TLS, '--proxy', 'a=https://h:1'), [
      '--proxy: "a=https://h:1" names no fleet, and there is no --default-fleet',
    ]);
  });
});

describe('--reinitialize-fleet', () => {
  test('names fleets', () => {
    const options = read('--reinitialize-fleet', 'edge/main');
    assert.deepEqual('reinitializedFleets' in options && options.reinitializedFleets, ['edge/main']);
    assert.deepEqual(read('--reinitialize-fleet', 'main'), ['--reinitialize-fleet: "main" is not namespace/name']);
  });
});
