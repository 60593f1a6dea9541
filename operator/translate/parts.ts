/** Pieces that the translations share. */

/** An object with at least one member: empty ones make no noise in the document. */
export function whenSome<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
