/** Kubernetes' own kinds, as far as they are read: checked, and stripped of everything else. */
import { isFields } from '../../crds/conform.ts';
import { Secret } from '../../proxy/contract/secret.ts';
import type { AnyObject, Meta, ReferenceGrantObject, ServiceObject } from '../objects/objects.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The object, or what is wrong with it. */
export type CoreReader = (value: Fields, metadata: Meta) => AnyObject | string;

export const readNamespace: CoreReader = (_value, metadata) => {
  const labels = metadata.labels ?? {};
  if (!isFields(labels) || !Object.values(labels).every((label) => typeof label === 'string')) {
    return 'metadata.labels must be text by text';
  }
  return { kind: 'Namespace', metadata };
};

export const readService: CoreReader = (value, metadata) => {
  const { spec } = value;
  if (!isFields(spec)) return 'spec must be an object';
  const ports: ServiceObject['ports'][number][] = [];
  for (const port of listOf(spec['ports'])) {
    if (!isFields(port) || !Number.isInteger(port['port'])) return 'spec.ports must be a list of objects with a port';
    ports.push({ name: typeof port['name'] === 'string' ? port['name'] : '', port: Number(port['port']) });
  }
  const type = spec['type'] ?? 'ClusterIP';
  return typeof type === 'string' ? { kind: 'Service', metadata, type, ports } : 'spec.type must be text';
};

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const readSecret: CoreReader = (value, { name, namespace }) => {
  // Annotations may repeat the values, as kubectl's last-applied-configuration does.
  const metadata = { name, namespace };
  const data = new Map<string, Secret<Buffer>>();
  const { data: encoded = {}, stringData = {}, type = 'Opaque' } = value;
  if (!isFields(encoded ?? {}) || !isFields(stringData ?? {})) return 'data and stringData must be text by key';
  for (const [key, text] of Object.entries(encoded ?? {})) {
    // Values are never part of a message.
    if (typeof text !== 'string' || !BASE64.test(text.replace(/\s/g, ''))) return 'data must be base64 text by key';
    data.set(key, new Secret(Buffer.from(text, 'base64')));
  }
  for (const [key, text] of Object.entries(stringData ?? {})) {
    if (typeof text !== 'string') return 'stringData must be text by key';
    data.set(key, new Secret(Buffer.from(text, 'utf8')));
  }
  return typeof type === 'string' ? { kind: 'Secret', metadata, type, data } : 'type must be text';
};

export const readReferenceGrant: CoreReader = (value, metadata) => {
  const spec = isFields(value['spec']) ? value['spec'] : {};
  const from: ReferenceGrantObject['from'][number][] = [];
  for (const item of listOf(spec['from'])) {
    const { group, kind, namespace } = isFields(item) ? item : {};
    if (typeof group !== 'string' || typeof kind !== 'string' || typeof namespace !== 'string') {
      return 'spec.from must be a list of group, kind and namespace';
    }
    from.push({ group, kind, namespace });
  }
  const to: ReferenceGrantObject['to'][number][] = [];
  for (const item of listOf(spec['to'])) {
    const { group, kind, name } = isFields(item) ? item : {};
    if (typeof group !== 'string' || typeof kind !== 'string') return 'spec.to must be a list of group and kind';
    // A name that is no text must not become a grant for every name.
    if (name !== undefined && name !== null && typeof name !== 'string') return 'spec.to[].name must be text';
    to.push({ group, kind, ...(typeof name === 'string' ? { name } : {}) });
  }
  return { kind: 'ReferenceGrant', metadata, from, to };
};

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
