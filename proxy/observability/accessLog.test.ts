import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchingAccessLog, formatAccessLine, redactQuery } from './accessLog.ts';
import type { RequestRecord } from './types.ts';

const record: RequestRecord = {
  startedAtMs: Date.UTC(2026, 0, 20, 10, 30, 45, 123),
  requestId: 'req_1',
  method: 'GET',
  path: '/v1/users/123',
  query: '',
  host: 'api.example.com',
  route: 'shop/api',
  pool: 'shop/api',
  endpoint: '10.0.1.10:8000',
  status: 200,
  durationMs: 45.12345,
  upstreamDurationMs: 42,
  retries: 0,
  requestBytes: 0,
  responseBytes: 10,
  snapshot: 'sha256:ab',
  client: '192.0.2.1',
};

function collect(pending = 0): { log: BatchingAccessLog; lines: string[]; pendingBytes: Int32Array } {
  const lines: string[] = [];
  const pendingBytes = new Int32Array(new SharedArrayBuffer(4));
  pendingBytes[0] = pending;
  const log = new BatchingAccessLog({
    send: (text) => lines.push(...text.split('\n').filter(Boolean)),
    pendingBytes,
    random: () => 0.5,
  });
  return { log, lines, pendingBytes };
}

test('a line has the fields of the seed, in one JSON object', () => {
  const line = JSON.parse(formatAccessLine(record, '2026-01-20T10:30:45.123Z', '')) as Record<string, unknown>;
  for (const field of [
    'timestamp',
    'request_id',
    'method',
    'path',
    'host',
    'route',
    'pool',
    'endpoint',
    'status',
    'duration_ms',
    'upstream_duration_ms',
    'retries',
    'cache',
    'breaker_state',
    'canary_variant',
  ]) {
    assert.ok(field in line, field);
  }
  assert.equal(line['duration_ms'], 45.123);
});

test('log forging: newlines and quotes in a path stay inside their string', () => {
  const line = formatAccessLine({ ...record, path: '/a"\n{"status":200}', host: 'x\u2028y' }, 't', '');
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.equal((JSON.parse(line) as { path: string }).path, '/a"\n{"status":200}');
});

test('a slow sink drops lines and counts them', () => {
  const { log, lines, pendingBytes } = collect(9 * 1024 * 1024);
  log.write(record);
  log.flush();
  assert.deepEqual([lines.length, log.takeDropped(), log.takeDropped()], [0, 1, 0]);
  pendingBytes[0] = 0;
  log.write(record);
  log.flush();
  assert.equal(lines.length, 1);
  assert.ok((pendingBytes[0] ?? 0) > 0);
});

test('sampling skips successes, never errors', () => {
  const { log, lines } = collect();
  log.configure(0.1, []);
  log.write(record);
  log.write({ ...record, status: 503 });
  log.flush();
  assert.deepEqual(
    lines.map((l) => (JSON.parse(l) as { status: number }).status),
    [503],
  );
});

test('named query parameters are redacted, also when their name is escaped', () => {
  const redacted = new Set(['token']);
  assert.equal(
    redactQuery('a=1&token=s3cret&t%6Fken=s3cret&%zz=1', redacted),
    'a=1&token=[redacted]&t%6Fken=[redacted]&%zz=1',
  );
});
