/** The phase of response filters: what a route's middleware changes in the head on its way to the client. */
import type { FilterRequest, ResponseFilter } from '../snapshot/phases.ts';
import type { HeaderChanges } from './forward.ts';
import type { ResponseHead } from './http1/types.ts';

/** Runs the filters in their order and returns the headers they changed. */
export function responseChanges(
  filters: readonly ResponseFilter[],
  request: FilterRequest,
  head: ResponseHead,
): HeaderChanges {
  const changes = new Map<string, string | undefined>();
  const response = {
    status: head.status,
    header: (lowerName: string) => (changes.has(lowerName) ? changes.get(lowerName) : head.headers.get(lowerName)),
    setHeader: (lowerName: string, value: string | undefined) => void changes.set(lowerName, value),
  };
  for (const filter of filters) filter(request, response);
  return changes;
}
