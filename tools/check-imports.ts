import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { filesOf, report, type SourceFile } from './source-files.ts'

/** Which kinds of room may import which. Packages among each other: see `packageEdges`. */
const directions: Readonly<Record<string, readonly string[]>> = {
  packages: ['packages'],
  control: ['packages'],
  host: ['control', 'packages'],
  store: ['control', 'packages'],
  providers: ['control', 'packages'],
  facades: ['control', 'packages'],
  apps: ['facades', 'control', 'packages', 'host', 'store', 'providers'],
}

/** What only tests may import besides: a provider is tried on the real store. */
const directionsOfTests: Readonly<Record<string, readonly string[]>> = { providers: ['store'] }

/** The whole graph of the shared packages; it has no cycle, and a new edge is a decision to write down here. */
const packageEdges: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  dockerfile: [],
  model: ['kernel'],
  ca: ['kernel'],
  wire: ['ca', 'kernel', 'model'],
  http: ['kernel', 'model'],
  openstack: ['kernel', 'model'],
}

/** Where the clock and randomness of the machine may be read; everywhere else they are arguments. */
const mayReadClock = /^(packages\/kernel|apps|tests|tools)\//
const isTest = /\.test\.ts$|\/test-[^/]*\.ts$|\/testing\/|\/fixtures\/|\/vite\.config\.ts$/

interface Workspace {
  readonly folder: string
  readonly name: string
  /** What may be imported from outside: the name and the subpaths of `exports`. */
  readonly entries: ReadonlySet<string>
  readonly declared: ReadonlySet<string>
  readonly declaredForTests: ReadonlySet<string>
}

interface Manifest {
  name: string
  exports?: string | Record<string, unknown>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** Everything in `files` that goes against design: `manifests` are the workspaces' package.json files. */
export function importProblems(files: readonly SourceFile[], manifests: readonly SourceFile[]): string[] {
  const workspaces = manifests.map(workspaceOf)
  return files.flatMap((file) => {
    const home = workspaces.find(({ folder }) => file.path.startsWith(`${folder}/`))
    const imports = home
      ? importsOf(file.text).flatMap((target) => problemOf(file, target, home, workspaces) ?? [])
      : []
    return [...imports, ...clockProblems(file)].map((problem) => `${file.path}: ${problem}`)
  })
}

function problemOf(
  file: SourceFile,
  { target, typeOnly }: Import,
  home: Workspace,
  all: readonly Workspace[],
): string | undefined {
  if (target.startsWith('.')) {
    const path = normalize(join(dirname(file.path), target))
    if (path.startsWith(`${home.folder}/`)) return undefined
    return `${target} leaves the workspace; import the other one by its package name.`
  }
  if (target.startsWith('node:') || builtinModules.includes(target)) return undefined
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')
  const other = all.find((workspace) => workspace.name === name)
  if (name === home.name) return `${target} is this workspace itself; import the file.`
  if (other && !other.entries.has(target))
    return `${target} goes past the entry of ${name}; export what is needed there.`
  if (other && !mayImport(home.folder, other.folder, file.path)) return `${home.folder} may not import ${other.folder}.`
  if (home.declared.has(name)) return undefined
  // Types are gone before anything runs; a test's packages from outside are the repository's affair.
  if ((typeOnly || isTest.test(file.path)) && home.declaredForTests.has(name)) return undefined
  if (isTest.test(file.path) && !other) return undefined
  return `${name} is not declared in ${home.folder}/package.json.`
}

function mayImport(from: string, to: string, path: string): boolean {
  const [fromKind = '', fromName = ''] = from.split('/')
  const [toKind = '', toName = ''] = to.split('/')
  if (fromKind === 'packages' && toKind === 'packages') return packageEdges[fromName]?.includes(toName) ?? false
  if (isTest.test(path) && directionsOfTests[fromKind]?.includes(toKind)) return true
  return directions[fromKind]?.includes(toKind) ?? false
}

export interface Import {
  readonly target: string
  readonly typeOnly: boolean
}

/** All imports and re-exports, static or not. Comments are not looked at. */
export function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const pattern =
    /(?:^|[;\n])\s*(?:import|export)\s(type\s)?(?:[^'"`;=()]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g
  return [...code.matchAll(pattern)].map((match) => ({
    target: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }))
}

function clockProblems({ path, text }: SourceFile): string[] {
  if (mayReadClock.test(path) || isTest.test(path)) return []
  return ['Date.now()', 'randomUUID()']
    .filter((call) => text.includes(call))
    .map((call) => `${call} belongs to packages/kernel; take a Clock or Ids as an argument.`)
}

function workspaceOf({ path, text }: SourceFile): Workspace {
  const { name, exports = {}, dependencies, devDependencies } = JSON.parse(text) as Manifest
  return {
    folder: dirname(path),
    name,
    entries: new Set(typeof exports === 'string' ? [name] : Object.keys(exports).map((path) => name + path.slice(1))),
    declared: new Set(Object.keys(dependencies ?? {})),
    declaredForTests: new Set(Object.keys(devDependencies ?? {})),
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const files = filesOf(root, '*.ts', '*.tsx')
  const manifests = filesOf(root, '*/package.json', '*/*/package.json')
  report(importProblems(files, manifests), `imports of ${files.length} files`)
}
