import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { report } from './source-files.ts'

interface Locked {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

export interface Lock {
  packages: Record<string, Locked>
}

/**
 * `npm ci` refuses a lock file that lacks the entry of an optional package, even one for another platform; npm leaves such
 * entries out when a registry does not carry the package. Answers what lacks, by the path of its entry. An entry whose version is a
 * range counts as lacking: npm takes it for none.
 */
export function missingFromLock(lock: Lock): Record<string, Locked> {
  const missing: Record<string, Locked> = {}
  for (const owner of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`
      const there = lock.packages[path]
      if (there === undefined || isRange(there.version))
        missing[path] = {
          version: version.replace(/^[^0-9]+/, ''),
          ...platformOf(name),
          ...(owner.dev && { dev: true }),
          optional: true,
        }
    }
  }
  return missing
}

function isRange(version = ''): boolean {
  return /^[^0-9]/.test(version)
}

/** Packages of one platform carry it in their names. */
function platformOf(name: string): Pick<Locked, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/)
  const named = words.find((word) => /^(android|darwin|linux|win32|windows|freebsd|openharmony|aix|sunos)$/.test(word))
  const os = named === 'windows' ? 'win32' : named
  const cpu = words.find((word) => /^(x64|arm64|arm|ia32|ppc64|riscv64|s390x|loong64)$/.test(word))
  const libc = os !== 'linux' ? undefined : name.includes('musl') ? 'musl' : name.includes('gnu') ? 'glibc' : undefined
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) }
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'package-lock.json')
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock
  const missing = missingFromLock(lock)
  if (process.argv.includes('--fix')) {
    const { '': root, ...others } = { ...lock.packages, ...missing }
    const sorted = Object.fromEntries(Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    writeFileSync(path, `${JSON.stringify({ ...lock, packages: { '': root, ...sorted } }, undefined, 2)}\n`)
  } else {
    const remedy = 'lacks in package-lock.json, so npm ci will fail; run `node tools/check-lock.ts --fix`.'
    report(
      Object.keys(missing).map((entry) => `${entry} ${remedy}`),
      'package-lock.json is complete',
    )
  }
}
