/** EndpointSlices of the demo upstreams, as a cluster would make them for their Services. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface DemoService {
  readonly name: string;
  readonly ports: readonly number[];
}

export async function writeEndpointSlices(
  folder: string,
  namespace: string,
  services: readonly DemoService[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, ports } of services) {
    // One slice for each process: on one machine endpoints differ by port, and a slice has one.
    const slices = ports.map((port, i) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-${i}`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
      ports: [{ name: 'http', port }],
    }));
    await writeFile(join(folder, `${name}.yaml`), slices.map((s) => `---\n${stringify(s)}`).join(''));
  }
}
