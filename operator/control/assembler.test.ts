import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unsupportedBy } from './assembler.ts';
import { memberOf } from './testkit.ts';

test('the oldest proxy decides what may be required', () => {
  const requires = { documentVersion: 2, features: ['regex', 'mirror'] };
  const able = memberOf('able', { supports: { documentVersions: [1, 2], features: ['mirror', 'regex'] } });
  const lacking = memberOf('lacking', { version: '1.0', supports: { documentVersions: [2], features: ['regex'] } });
  const old = memberOf('old', { version: '0.9', supports: { documentVersions: [1], features: [] } });
  const leaving = memberOf('leaving', { draining: true, supports: { documentVersions: [1], features: [] } });
  const silent = { podUid: 'silent', ack: null, lastSeenMs: null };
  assert.equal(unsupportedBy([able, leaving, silent], requires), null);
  assert.equal(unsupportedBy([able, lacking], requires), 'Unsupported: proxy lacking (1.0) does not support mirror');
  assert.equal(unsupportedBy([old], requires), 'Unsupported: proxy old (0.9) does not support documentVersion 2');
});
