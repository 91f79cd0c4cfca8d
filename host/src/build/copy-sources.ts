import { posix } from 'node:path'
import { BuildError } from '@gantry/dockerfile'
import type { FileTree } from './file-tree.ts'
import { goPattern, hasWildcards } from './go-match.ts'

/** One thing that COPY takes from a tree. */
export interface CopySource {
  /** As named: its last part becomes the name of the copy. */
  readonly named: string
  /** Where it is, all links followed. */
  readonly path: string
  readonly isFolder: boolean
}

/** What the sources of a COPY or ADD mean in a tree, patterns resolved. Throws `BuildError` as the classic builder does. */
export function copySources(tree: FileTree, sources: readonly string[], command: string): CopySource[] {
  const found = sources.flatMap((source) => sourcesOf(tree, source, command))
  if (found.length === 0) throw new BuildError(`${command} failed: no source files were specified`)
  return found
}

/** Several sources need a folder to go to. */
export function checkDestination(found: readonly CopySource[], destination: string, command: string): void {
  if (found.length < 2 || destination.endsWith('/')) return
  const problem = 'the destination must be a directory and end with a /'
  throw new BuildError(`When using ${command} with more than one source file, ${problem}`)
}

/** The name of a source as a path below the root. */
export function plainSource(source: string): string {
  return source.replace(/^\/+/, '').replace(/^(\.\/+)+/, '')
}

function sourcesOf(tree: FileTree, source: string, command: string): CopySource[] {
  if (/^(https?|git):\/\//i.test(source)) {
    if (command === 'COPY') throw new BuildError("COPY failed: source can't be a URL for COPY")
    throw new BuildError(
      `ADD failed: ${source}: this service does not fetch addresses on behalf of a build; put the file into the build context, or fetch it in a RUN step`,
    )
  }
  const plain = plainSource(source)
  if (hasWildcards(plain)) {
    const pattern = goPattern(plain)
    const names = pattern ? tree.paths().filter((path) => path !== '' && pattern.test(path)) : []
    return names.flatMap((name) => sourceAt(tree, name) ?? [])
  }
  const clean = posix.normalize(plain === '' ? '.' : plain)
  if (clean === '..' || clean.startsWith('../')) {
    throw new BuildError(`${command} failed: forbidden path outside the build context: ${source} ()`)
  }
  const one = sourceAt(tree, clean === '.' ? '' : clean.replace(/\/$/, ''))
  if (one) return [one]
  throw new BuildError(
    `${command} failed: file not found in build context or excluded by .dockerignore: stat ${plain}: file does not exist`,
  )
}

function sourceAt(tree: FileTree, named: string): CopySource | null {
  const path = tree.resolve(named)
  const entry = path === null ? undefined : tree.get(path)
  return path === null || !entry ? null : { named, path, isFolder: entry.kind === 'folder' }
}

/** Same content, same owner, same names: same hash. */
export function hashOfSources(tree: FileTree, found: readonly CopySource[]): string {
  const [first] = found
  if (found.length === 1 && first) {
    return `${first.isFolder ? 'dir' : 'file'}:${tree.hash([first.path, ...(first.isFolder ? tree.below(first.path) : [])])}`
  }
  return `multi:${tree.hash(found.flatMap(({ path, isFolder }) => [path, ...(isFolder ? tree.below(path) : [])]))}`
}
