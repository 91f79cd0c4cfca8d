import { posix } from 'node:path'
import type { Fault } from '@gantry/kernel'
import type { Digest } from '@gantry/model'
import { badArchive, shown } from './bad-archive.ts'
import type { StoredLayer } from './store-layer.ts'

/** What may be kept in memory of one archive. Bytes. */
const mostKept = 32 << 20
const mostFiles = 100_000
const longestPath = 1024

/** A plain file of an archive: small ones are kept, the rest is in the blob store already. */
export type ArchivedFile = KeptFile | ({ readonly kind: 'stored' } & StoredLayer)

export interface KeptFile {
  readonly kind: 'kept'
  readonly content: Buffer
  readonly digest: Digest
}

/**
 * The table of contents of an archive that nobody trusts. Paths are looked up here and nowhere else, and no file is ever written under
 * one: links, dots and doubled entries lead nowhere.
 */
export class ArchiveIndex {
  readonly #files = new Map<string, ArchivedFile>()
  readonly #links = new Map<string, string>()
  readonly #byDigest = new Map<string, ArchivedFile>()
  #kept = 0

  /** The path that is meant. Throws for those that lead out, or that were there already. */
  path(path: string): string {
    const plain = plainPath(path)
    if (this.#files.has(plain) || this.#links.has(plain)) throw badArchive(`${shown(path)} is in it twice`)
    if (this.#files.size + this.#links.size >= mostFiles) throw badArchive('it has too many entries')
    return plain
  }

  /** Bytes that may still be kept. */
  get room(): number {
    return mostKept - this.#kept
  }

  add(path: string, file: ArchivedFile): void {
    this.#files.set(path, file)
    this.#byDigest.set(file.digest, file)
    if (file.kind === 'kept') this.#kept += file.content.length
  }

  /** Engines write a layer that two images share once, and lead to it the second time. */
  link(path: string, target: string): void {
    this.#links.set(path, plainPath(target))
  }

  /** Throws `request.invalid` if it is not there. */
  find(path: string): ArchivedFile {
    let at = plainPath(path)
    // One step only: engines make no links to links.
    at = this.#links.get(at) ?? at
    const file = this.#files.get(at)
    if (!file) throw badArchive(`${shown(path)} is not in it`)
    return file
  }

  withDigest(digest: string): ArchivedFile | undefined {
    return this.#byDigest.get(digest)
  }

  /** Undefined: no such file. A link is none. */
  json(path: string): unknown {
    const file = this.#files.get(path)
    return file && jsonOf(file, path)
  }
}

export function jsonOf(file: ArchivedFile, path: string): unknown {
  const { content } = textOf(file, path)
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    throw notText(path)
  }
}

/** Throws `request.invalid` for one that was too large to be a description. */
export function textOf(file: ArchivedFile, path: string): KeptFile {
  if (file.kind === 'kept') return file
  throw notText(path)
}

function notText(path: string): Fault {
  return badArchive(`${shown(path)} is no JSON, or too large`)
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function plainPath(path: string): string {
  const plain = posix.normalize(path).replace(/^\/+|\/+$/g, '')
  const isOdd = path.length > longestPath || path.includes('\0') || plain === '..' || plain.startsWith('../')
  if (isOdd || plain === '') throw badArchive(`the path ${shown(path)} leads out of it`)
  return plain
}
