/** Pieces that the translations share. */
import { objectId } from '../objects/objects.ts';
import type { Reference } from './types.ts';

/** A reference from the field at `path`. */
export function referenceTo(
  path: string,
  kind: Reference['kind'],
  namespace: string,
  name: string,
  port?: number,
): Reference {
  return {
    path,
    kind,
    namespace,
    name,
    target: objectId(kind, namespace, name),
    ...(port === undefined ? {} : { port }),
  };
}

/** An object with at least one member: empty ones make no noise in the document. */
export function whenSome<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
