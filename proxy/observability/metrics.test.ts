import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnWriter } from './columns.ts';
import { Metrics } from './metrics.ts';
import { RefusedConnections } from './refusedConnections.ts';
import { ThreadStats } from './stats.ts';

function threadInto(metrics: Metrics, thread: number, maxSeries = 1000): ThreadStats {
  const writer = new ColumnWriter({
    onBlock: (index, buffer) => metrics.addBlock(thread, index, buffer),
    onSeries: (series) => metrics.addSeries(thread, series),
    onRelease: (id) => metrics.releaseSeries(thread, id),
  });
  return new ThreadStats(writer, maxSeries);
}

test('columns of all threads are summed at scrape, with the seed’s names and labels', async () => {
  const metrics = new Metrics();
  const [a, b] = [threadInto(metrics, 1), threadInto(metrics, 2)];
  a.route('api-route', 'api-pool').onRequest(200, 3, 0, 1500);
  b.route('api-route', 'api-pool').onRequest(200, 300, 10, 1500);
  b.route('api-route', 'api-pool').onRequest(502, 1, 0, 0);
  b.endpoint('api-pool', '10.0.1.10:8000').onUpstreamRequest(2);
  const text = await metrics.render();
  assert.match(text, /proxy_requests_total\{route="api-route",pool="api-pool",status="200"\} 2\n/);
  assert.match(text, /proxy_requests_total\{route="api-route",pool="api-pool",status="502"\} 1\n/);
  assert.match(text, /proxy_request_duration_seconds_bucket\{.*le="0.005".*\} 2\n/);
  assert.match(text, /proxy_request_duration_seconds_count\{route="api-route",pool="api-pool"\} 3\n/);
  assert.match(text, /proxy_response_size_bytes_sum\{route="api-route"\} 3000\n/);
  assert.match(text, /proxy_upstream_requests_total\{pool="api-pool",endpoint="10.0.1.10:8000"\} 1\n/);
});

test('a label with quotes and newlines cannot forge a series', async () => {
  const metrics = new Metrics();
  threadInto(metrics, 1).route('a"} 1\nforged 2', 'p').onRequest(200, 1, 0, 0);
  assert.doesNotMatch(await metrics.render(), /^forged/m);
});

test('over the series limit, routes are folded into other and counted', async () => {
  const metrics = new Metrics();
  const stats = threadInto(metrics, 1, 60);
  for (let i = 0; i < 10; i += 1) stats.route(`r${i}`, 'p').onRequest(200, 1, 0, 0);
  assert.match(await metrics.render(), /proxy_requests_total\{route="other",pool="other",status="200"\} [78]\n/);
  assert.ok(metrics.total('proxy_metric_series_dropped_total') >= 7);
});

test('the series of a deleted route are given back, and a late request counts as other', async () => {
  const metrics = new Metrics();
  const stats = threadInto(metrics, 1);
  const gone = stats.route('gone', 'p');
  gone.onRequest(200, 1, 0, 0);
  stats.dropRoute('gone', 'p');
  gone.onRequest(200, 1, 0, 0);
  stats.route('next', 'p').onRequest(200, 1, 0, 0);
  const text = await metrics.render();
  assert.doesNotMatch(text, /route="gone"/);
  assert.match(text, /proxy_requests_total\{route="other",pool="other",status="200"\} 1\n/);
  assert.match(text, /proxy_requests_total\{route="next",pool="p",status="200"\} 1\n/);
});

test('what acks count never goes back, when routes come and go', () => {
  const metrics = new Metrics();
  const stats = threadInto(metrics, 1);
  let [requests, errors5xx] = [0, 0];
  for (let i = 0; i < 20; i += 1) {
    const route = stats.route(`r${i}`, 'p');
    for (const status of [200, 404, 502]) route.onRequest(status, 1, 0, 0);
    stats.dropRoute(`r${i}`, 'p');
    const now = metrics.total('proxy_responses_total');
    const now5xx = metrics.total('proxy_responses_total', (labels) => labels['class'] === '5xx');
    assert.deepEqual([now - requests, now5xx - errors5xx], [3, 1]);
    [requests, errors5xx] = [now, now5xx];
  }
});

test('refused connections are all counted, and said once in a while with their number', () => {
  const metrics = new Metrics();
  const writer = new ColumnWriter({
    onBlock: (index, buffer) => metrics.addBlock(1, index, buffer),
    onSeries: (series) => metrics.addSeries(1, series),
    onRelease: () => undefined,
  });
  let nowMs = 0;
  const said: string[] = [];
  const refused = new RefusedConnections(
    writer,
    () => nowMs,
    (message) => said.push(message),
  );
  for (let i = 0; i < 50; i += 1) refused.count('limit', 'full');
  nowMs += 10_000;
  refused.count('accept', 'EMFILE');
  assert.deepEqual(said, ['connections refused: 1 (limit: full)', 'connections refused: 50 (accept: EMFILE)']);
  assert.equal(
    metrics.total('proxy_connections_refused_total', (labels) => labels['reason'] === 'limit'),
    50,
  );
});
