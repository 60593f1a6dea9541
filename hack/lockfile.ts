/** What an npm lockfile lacks. */

export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Names of packages of native code end with their platform: `…linux-x64-musl`, `…darwin-arm64`. */
const PLATFORM =
  /[-/](?<os>aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(?<cpu>arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(?<abi>[a-z]+))?$/;

/** Whether npm would find `name` from the package at `path`: in its own node_modules, or in one further up. */
function resolves(packages: ReadonlyMap<string, LockedPackage>, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages.has(folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`)) return true;
    if (folder === '') return false;
  }
}

function entryFor(name: string, version: string, dependent: LockedPackage): LockedPackage {
  const { os, cpu, abi } = PLATFORM.exec(name)?.groups ?? {};
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`cannot tell the platform of ${name}@${version} from its name: add it to the lockfile by hand`);
  }
  const libc = os === 'linux' && abi !== undefined ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {};
  const dev = dependent.dev === true ? { dev: true } : {};
  return { version, cpu: [cpu], ...dev, ...libc, optional: true, os: [os] };
}

/** Optional packages that some entry names and none describes: install path → the entry that it should have. */
export function missingOptionals(packages: ReadonlyMap<string, LockedPackage>): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [path, dependent] of packages) {
    for (const [name, version] of Object.entries(dependent.optionalDependencies ?? {})) {
      if (!resolves(packages, path, name)) missing.set(`node_modules/${name}`, entryFor(name, version, dependent));
    }
  }
  return missing;
}
