import { join, posix } from 'node:path'
import { rm } from 'node:fs/promises'
import { BuildError } from '@gantry/dockerfile'
import { isStatus } from '../engine/engine-error.ts'
import { isArchive } from './archive-kind.ts'
import type { BuildSite } from './build-site.ts'
import type { ContainerFiles } from './container-files.ts'
import type { CopyCommand } from './copy-command.ts'
import { copyPlan, foldersTo } from './copy-plan.ts'
import { checkDestination, type CopySource, copySources, plainSource } from './copy-sources.ts'
import type { FileTree } from './file-tree.ts'
import { hasWildcards } from './go-match.ts'
import type { ImageRecord } from './image-record.ts'
import { readTree } from './read-tree.ts'

/** Copies out of the build's context. Answers the layers after it; `destination` is absolute. */
export async function copyFromContext(
  site: BuildSite,
  onto: ImageRecord,
  tree: FileTree,
  command: CopyCommand,
  destination: string,
  sources: readonly CopySource[],
): Promise<readonly string[]> {
  return site.withFiles(onto, async (files, id) => {
    const owner = command.chown === null ? { uid: 0, gid: 0 } : await files.owner(command.chown)
    const now = site.options.clock.now()
    const plain: CopySource[] = []
    for (const source of sources) {
      const entry = tree.get(source.path)
      if (command.name !== 'ADD' || !entry || !(await isArchive(tree, entry))) plain.push(source)
      else {
        const there = await files.destination(destination)
        await files.write(there.base, tree, foldersTo(there, now))
        await files.unpack(posix.join(there.base, ...there.below), tree.read(entry))
      }
    }
    const there = await files.destination(destination)
    await files.write(there.base, tree, copyPlan(tree, { sources: plain, destination, there, owner, now }))
    return site.layersOf(id)
  })
}

/** Copies out of another image. */
export async function copyFromImage(
  site: BuildSite,
  onto: ImageRecord,
  from: ImageRecord,
  command: CopyCommand,
  destination: string,
): Promise<readonly string[]> {
  const spools: string[] = []
  try {
    // One tree a source: each is a tar of its own.
    const found = await site.withFiles(from, async (files) => {
      const trees: { tree: FileTree; sources: CopySource[] }[] = []
      for (const source of command.sources) {
        const spool = join(site.options.folder, `from-${site.madeUpId()}`)
        spools.push(spool)
        const part = await treeOf(site, files, source, spool, command.name)
        trees.push({ tree: part.tree, sources: copySources(part.tree, [part.source], command.name) })
      }
      return trees
    })
    const all = found.flatMap(({ sources }) => sources)
    checkDestination(all, destination, command.name)
    return await site.withFiles(onto, async (files, id) => {
      const owner = command.chown === null ? null : await files.owner(command.chown)
      for (const { tree, sources } of found) {
        const there = await files.destination(destination)
        const now = site.options.clock.now()
        await files.write(there.base, tree, copyPlan(tree, { sources, destination, there, owner, now }))
      }
      return site.layersOf(id)
    })
  } finally {
    for (const spool of spools) await rm(spool, { force: true })
  }
}

/** The part of an image that a source means, and its name in that part. */
async function treeOf(
  site: BuildSite,
  files: ContainerFiles,
  source: string,
  spool: string,
  command: string,
): Promise<{ tree: FileTree; source: string }> {
  const plain = plainSource(source)
  const parts = plain.split('/')
  const wild = parts.findIndex((part) => hasWildcards(part))
  const fixed = wild < 0 ? plain : parts.slice(0, wild).join('/')
  const there = await files.destination(`/${fixed}`)
  if (there.kind === 'missing') {
    if (wild >= 0) throw new BuildError(`${command} failed: no source files were specified`)
    throw new BuildError(`${command} failed: stat ${plain}: file does not exist`)
  }
  const real = posix.join(there.base, ...there.below)
  const tar = await files.read(real).catch((error: unknown) => {
    if (isStatus(error, 404)) throw new BuildError(`${command} failed: stat ${plain}: file does not exist`)
    throw error
  })
  // The engine names what it sends after the last part of the path; the tree shows it under the name that was asked for.
  const name = posix.normalize(`/${fixed}`).replace(/\/$/, '').slice(1)
  const rename = (each: string) => renamed(each, posix.basename(real), name)
  const tree = await readTree(tar, spool, site.options.signal, { rename })
  return { tree, source: wild < 0 ? name || '.' : plain }
}

/** `base/x` as `name/x`. */
function renamed(path: string, base: string, name: string): string {
  const relative = path.replace(/^(\.?\/)+/, '')
  if (base === '') return relative
  const inner = relative === base ? '' : relative.startsWith(`${base}/`) ? relative.slice(base.length + 1) : relative
  return posix.join(name, inner)
}
