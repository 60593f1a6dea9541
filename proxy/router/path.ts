/** The engine reads requests as the router does; routes are compiled by the same rules, so they live in the contract. */
export { normalizePath } from '../contract/path.ts';
