import { posix } from 'node:path'
import { Fault } from '@gantry/kernel'

/** What an archive of images may hold beside layers, in all: their descriptions. Bytes. */
const mostText = 32 << 20
const mostFiles = 100_000
const mostImages = 1000
const longestPath = 1024

/** A plain file of an archive. */
export interface ArchivedFile {
  /** Its name in the archive that is made of it. */
  readonly name: string
  /** SHA-256 of what is in it, unpacked, as hex digits. */
  readonly digest: string
  /** Its own text, if it may be a description. */
  readonly text: Buffer | null
}

/** One image of an archive, every part of which was in it. */
export interface ArchivedImage {
  readonly config: string
  readonly layers: readonly string[]
  /** As the archive has them, judged by nobody. */
  readonly tags: readonly string[]
  /** `sha256:…`, as engines count it: of the config. */
  readonly imageId: string
}

export function badArchive(problem: string): Fault {
  return new Fault('request.invalid', { problem: `The archive cannot be loaded: ${problem}.` })
}

/**
 * The table of contents of an archive of images (`docker save`) that nobody trusts. Paths are looked up here and nowhere else:
 * the archive that an engine gets has names of ours, so that links, dots and doubled entries lead nowhere.
 */
export class ArchiveIndex {
  readonly #files = new Map<string, ArchivedFile>()
  readonly #links = new Map<string, string>()
  #text = 0

  /** The path that is meant. Throws for those that lead out, or that were there already. */
  path(path: string): string {
    const plain = plainPath(path)
    if (this.#files.has(plain) || this.#links.has(plain)) throw badArchive(`${shown(path)} is in it twice`)
    if (this.#files.size + this.#links.size >= mostFiles) throw badArchive('it has too many entries')
    return plain
  }

  /** How much of a file may be kept as text. */
  get room(): number {
    return mostText - this.#text
  }

  add(path: string, file: ArchivedFile): void {
    this.#files.set(path, file)
    this.#text += file.text?.length ?? 0
  }

  /** Engines write a layer that two images share once, and lead to it the second time. */
  link(path: string, target: string): void {
    this.#links.set(path, plainPath(target))
  }

  /** The images that `manifest.json` names. Throws `request.invalid` where any part of one is missing or another's. */
  images(): ArchivedImage[] {
    const manifest = this.#json('manifest.json')
    if (manifest === undefined) throw badArchive('it has no manifest.json (made by docker save?)')
    if (!Array.isArray(manifest) || manifest.length > mostImages)
      throw badArchive('its manifest.json is no list of images')
    return manifest.map((item) => this.#image(item))
  }

  #image(item: unknown): ArchivedImage {
    const { Config: configPath, Layers: layers, RepoTags: tags } = recordOf(item)
    if (typeof configPath !== 'string' || !isStrings(layers ?? []) || !isStrings(tags ?? [])) {
      throw badArchive('its manifest.json is not as docker save writes it')
    }
    const config = this.#find(configPath)
    const { rootfs } = recordOf(parsed(config.text, configPath))
    const { diff_ids: diffIds } = recordOf(rootfs)
    const paths = (layers ?? []) as string[]
    if (!isStrings(diffIds ?? []) || paths.length !== ((diffIds ?? []) as string[]).length) {
      throw badArchive(`${shown(configPath)} and manifest.json do not agree on the layers`)
    }
    const files = paths.map((path) => this.#find(path))
    // An engine that has a layer already would not look into the file: whoever names a layer must have it.
    for (const [at, { digest }] of files.entries()) {
      if ((diffIds as string[])[at] !== `sha256:${digest}`) {
        throw badArchive(`layer ${shown(paths[at] ?? '')} is not what its image says it is`)
      }
    }
    return {
      config: config.name,
      layers: files.map(({ name }) => name),
      tags: (tags ?? []) as string[],
      imageId: `sha256:${config.digest}`,
    }
  }

  #find(path: string): ArchivedFile {
    let at = plainPath(path)
    // One step only: engines make no links to links.
    at = this.#links.get(at) ?? at
    const file = this.#files.get(at)
    if (!file) throw badArchive(`${shown(path)} is not in it`)
    return file
  }

  #json(path: string): unknown {
    const file = this.#files.get(path)
    return file === undefined ? undefined : parsed(file.text, path)
  }
}

function plainPath(path: string): string {
  const plain = posix.normalize(path).replace(/^\/+|\/+$/g, '')
  const isOdd = path.length > longestPath || path.includes('\0') || plain === '..' || plain.startsWith('../')
  if (isOdd || plain === '') throw badArchive(`the path ${shown(path)} leads out of it`)
  return plain
}

function parsed(text: Buffer | null, path: string): unknown {
  try {
    if (text !== null) return JSON.parse(text.toString('utf8'))
  } catch {
    // Told below.
  }
  throw badArchive(`${shown(path)} is no JSON, or too large`)
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 100))
}
