/** What a test starts is closed when it ends, in reverse order. */
import type { TestContext } from 'node:test';
import { startProxy, type TestConfig, type TestProxy, type TestSinks } from './proxyHarness.ts';
import { RawClient } from './rawClient.ts';
import { type RawUpstream, startRawUpstream, type UpstreamConnectionRecord } from './rawUpstream.ts';

export async function proxyFor(t: TestContext, config?: TestConfig, sinks?: TestSinks): Promise<TestProxy> {
  const proxy = await startProxy(config, sinks);
  t.after(() => proxy.close());
  return proxy;
}

export async function upstreamFor(
  t: TestContext,
  onData?: (connection: UpstreamConnectionRecord) => void,
): Promise<RawUpstream> {
  const upstream = await startRawUpstream(onData);
  t.after(async () => upstream.close());
  return upstream;
}

export async function clientFor(
  t: TestContext,
  port: number,
  options?: { allowHalfOpen?: boolean },
): Promise<RawClient> {
  const client = await RawClient.connect(port, options);
  t.after(() => client.close());
  return client;
}
