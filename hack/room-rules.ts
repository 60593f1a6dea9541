/** Compares the imports of a tree with the table of rooms. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { findCycles } from './cycles.ts';
import {
  IMPURE_CALLS,
  IMPURE_MODULES,
  PURE_IMPORTS,
  ROOMS,
  SIDES,
  TEST_PACKAGES,
  type Room,
  type Side,
} from './rooms.ts';
import { isTest, listFiles } from './source-files.ts';
import { computedImports, importsOf, lineAt, maskSource, type ImportRef, type MaskedSource } from './source-text.ts';

interface SourceFile {
  readonly path: string;
  readonly source: MaskedSource;
  readonly imports: readonly ImportRef[];
}

function within(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function sideOf(path: string): Side | undefined {
  return SIDES.find((side) => within(path, side.name));
}

/** The room with the longest matching path. */
function roomOf(path: string, rooms: readonly Room[] = ROOMS): Room | undefined {
  return rooms
    .filter((room) => within(path, room.path) || path === room.path)
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

function isMain(path: string): boolean {
  return SIDES.some((side) => side.mains.includes(path));
}

/** The path that a relative specifier names, or undefined for packages and Node's own modules. */
function targetOf(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
}

/** `@scope/name/part` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function readSources(root: string): SourceFile[] {
  return listFiles(root)
    .filter((path) => path.endsWith('.ts') && sideOf(path) !== undefined)
    .map((path) => {
      const source = maskSource(readFileSync(join(root, path), 'utf8'));
      return { path, source, imports: importsOf(source) };
    });
}

/** Why `file` may not import the file `target`, or undefined where it may. */
function whyNotFile(file: string, target: string): string | undefined {
  const side = sideOf(file);
  const targetSide = sideOf(target);
  if (targetSide === undefined) {
    return isTest(file) ? undefined : 'product code never imports what is outside of it';
  }
  if (side !== undefined && targetSide !== side && !side.reaches.includes(targetSide.name)) {
    return `${side.name}/ never imports ${targetSide.name}/`;
  }
  if (isTest(file)) return undefined;
  if (isTest(target)) return 'product code never imports tests';
  if (isMain(target)) return 'main files wire, nobody imports them';
  if (isMain(file)) return undefined;
  const room = roomOf(file);
  const targetRoom = roomOf(target);
  if (room === undefined || targetRoom === undefined) return undefined; // reported once per file
  if (room === targetRoom || room.mayImport.includes(targetRoom.path) || room.mayImport.includes(target)) {
    return undefined;
  }
  const allowed = room.mayImport.length === 0 ? 'nothing in-tree' : room.mayImport.join(', ');
  return `${room.path} may import ${allowed} (${room.reason})`;
}

/** Why `file` may not import a package or one of Node's modules, or undefined where it may. */
function whyNotPackage(file: string, { specifier, clause }: ImportRef): string | undefined {
  if (isTest(file)) return undefined;
  const room = roomOf(file);
  if (specifier.startsWith('node:')) {
    const pure = room?.pure !== true || isMain(file) || PURE_IMPORTS.test(clause);
    const impure = !pure && IMPURE_MODULES.some((pattern) => pattern.test(specifier));
    return impure ? `${room.path} is pure` : undefined;
  }
  const name = packageOf(specifier);
  if (TEST_PACKAGES.includes(name)) return 'it is for tests only';
  if (isMain(file) || room === undefined || (room.packages ?? []).includes(name)) return undefined;
  const owners = ROOMS.filter((other) => other.packages?.includes(name)).map((other) => other.path);
  return owners.length === 0 ? 'no room of the table names it' : `only ${owners.join(', ')} may`;
}

function checkImports(file: SourceFile): string[] {
  const findings: string[] = [];
  for (const ref of file.imports) {
    const { specifier, line } = ref;
    const target = targetOf(file.path, specifier);
    const why = target === undefined ? whyNotPackage(file.path, ref) : whyNotFile(file.path, target);
    if (why !== undefined) findings.push(`${file.path}:${line} must not import ${target ?? specifier}: ${why}`);
  }
  if (isTest(file.path)) return findings;
  for (const line of computedImports(file.source)) {
    findings.push(`${file.path}:${line} computes what it imports; name the file, so that this check can see it`);
  }
  return findings;
}

function checkPurity(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (room?.pure !== true || isTest(file.path) || isMain(file.path)) return [];
  return IMPURE_CALLS.flatMap(({ pattern, what }) =>
    [...file.source.code.matchAll(pattern)].map(
      (match) => `${file.path}:${lineAt(file.source.code, match.index)} uses ${what}: ${room.path} is pure`,
    ),
  );
}

function checkPlaces(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => roomOf(file.path) === undefined && !isMain(file.path) && !isTest(file.path))
    .map((file) => `${file.path} is in no room of hack/rooms.ts`);
}

/** Cycles between files, and between rooms; type-only imports count, since people read those too. */
function checkCycles(files: readonly SourceFile[]): string[] {
  const byFile = new Map<string, Set<string>>();
  const byRoom = new Map<string, Set<string>>();
  for (const file of files) {
    if (isTest(file.path)) continue;
    const targets = file.imports.map((ref) => targetOf(file.path, ref.specifier)).filter((path) => path !== undefined);
    byFile.set(file.path, new Set(targets));
    const room = isMain(file.path) ? undefined : roomOf(file.path)?.path;
    if (room === undefined) continue;
    const rooms = byRoom.get(room) ?? new Set<string>();
    byRoom.set(room, rooms);
    for (const target of targets) {
      const other = roomOf(target)?.path;
      if (other !== undefined && other !== room) rooms.add(other);
    }
  }
  return [
    ...findCycles(byFile).map((cycle) => `files import each other in a circle: ${cycle.join(' → ')}`),
    ...findCycles(byRoom).map((cycle) => `rooms import each other in a circle: ${cycle.join(' → ')}`),
  ];
}

/** The table itself: rows name rows (or files of theirs), pure rooms import pure rooms, and following it can make no circle. */
export function checkTable(rooms: readonly Room[] = ROOMS): string[] {
  const findings: string[] = [];
  const edges = new Map<string, Set<string>>();
  for (const room of rooms) {
    if (edges.has(room.path)) findings.push(`hack/rooms.ts has two rows for ${room.path}`);
    const targets = new Set<string>();
    edges.set(room.path, targets);
    for (const name of room.mayImport) {
      const other = roomOf(name, rooms);
      if (other === undefined || (other.path !== name && !name.endsWith('.ts'))) {
        findings.push(`hack/rooms.ts: ${room.path} may import ${name}, which has no row`);
        continue;
      }
      targets.add(other.path);
      if (room.pure === true && other.pure !== true) {
        findings.push(`hack/rooms.ts: ${room.path} is pure, so it cannot import ${name}, which is not`);
      }
    }
  }
  const circles = findCycles(edges).map((cycle) => `hack/rooms.ts allows a circle: ${cycle.join(' → ')}`);
  return [...findings, ...circles];
}

/** All breaches in the tree at `root`, one line each; empty where it keeps to the table. */
export function checkTree(root: string): string[] {
  const files = readSources(root);
  return [
    ...checkPlaces(files),
    ...files.flatMap((file) => [...checkImports(file), ...checkPurity(file)]),
    ...checkCycles(files),
  ];
}
