import type { FileHandle } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { Readable as ReadableStream } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { BuildError } from '@gantry/dockerfile'
import { extract, pack } from 'tar-stream'
import { goMode } from '../engine/build-api.ts'
import type { Engine } from '../engine/engine.ts'
import { isStatus } from '../engine/engine-error.ts'
import type { CopyEntry, Destination, Owner } from './copy-plan.ts'
import type { FileTree, TreeEntry } from './file-tree.ts'

/** Longer than any list of users that somebody keeps by hand, bytes. */
const longestList = 4 << 20
/** Opening a stream takes longer than reading this much, bytes. */
const readAtOnce = 256 << 10
/** As deep as Linux follows links. */
const mostLinks = 40

/** The files of a container that is never started, by the engine's archive routes. */
export class ContainerFiles {
  readonly #engine: Engine
  readonly #id: string
  readonly #signal: AbortSignal

  constructor(engine: Engine, id: string, signal: AbortSignal) {
    this.#engine = engine
    this.#id = id
    this.#signal = signal
  }

  /** Where a path leads; the folders on its way may be missing. */
  async destination(path: string, links = 0): Promise<Destination> {
    const parts = posix
      .normalize(path)
      .split('/')
      .filter((part) => part !== '')
    for (let count = parts.length; count >= 0; count -= 1) {
      const at = `/${parts.slice(0, count).join('/')}`
      const found = await this.#look(at)
      if (!found) continue
      const below = parts.slice(count)
      if (found.link !== null && links < mostLinks) {
        return this.destination(posix.join(posix.resolve(posix.dirname(at), found.link), ...below), links + 1)
      }
      if (found.folder) return { kind: below.length === 0 ? 'folder' : 'missing', base: at, below }
      if (below.length > 0) throw new BuildError(`failed to copy files: mkdir ${at}: not a directory`)
      return { kind: 'other', base: posix.dirname(at), below: [posix.basename(at)] }
    }
    return { kind: 'missing', base: '/', below: parts }
  }

  /** A tar of a path and what lies below it. The caller reads it to its end. */
  async read(path: string): Promise<Readable> {
    return (await this.#engine.containers.archiveGet(this.#id, path, this.#signal)).body
  }

  async write(base: string, tree: FileTree, entries: readonly CopyEntry[]): Promise<void> {
    if (entries.length === 0) return
    await using spool = await tree.open()
    const tar = pack()
    const writing = (async () => {
      for (const each of entries) await addEntry(tar, tree, spool, each)
      tar.finalize()
    })()
    // A failed upload ends the reading, and a failed reading the upload.
    writing.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))))
    await this.#put(base, ReadableStream.from(tar))
    await writing
  }

  /** Unpacks an archive in a folder; the engine knows more compressions than we do. */
  async unpack(folder: string, archive: Readable): Promise<void> {
    await this.#put(folder, archive)
  }

  /** What `--chown` means in this image. */
  async owner(text: string): Promise<Owner> {
    const [user = '', group = user, ...more] = text.split(':')
    if (text === '' || more.length > 0) throw new BuildError(`invalid chown string format: ${text}`)
    const uid = await this.#idOf(user, '/etc/passwd', 'uid for user', 'user')
    return { uid, gid: await this.#idOf(group, '/etc/group', 'gid for group', 'group') }
  }

  async #idOf(name: string, path: string, what: string, kind: string): Promise<number> {
    if (/^\d+$/.test(name)) return Number(name)
    const list = await this.#text(path)
    const row = list
      .split('\n')
      .map((line) => line.split(':'))
      .find(([each]) => each === name)
    if (row?.[2] !== undefined && /^\d+$/.test(row[2])) return Number(row[2])
    const problem = `can't find ${what} ${name}: no such ${kind}: ${name}`
    throw new BuildError(`unable to convert uid/gid chown string to host mapping: ${problem}`)
  }

  /** A small file's text; empty if there is none. */
  async #text(path: string): Promise<string> {
    const { kind, base, below } = await this.destination(path)
    if (kind !== 'other') return ''
    const unpack = extract()
    let text = ''
    unpack.on('entry', ({ type, size }, content, next) => {
      if (type !== 'file' || size > longestList) {
        content.resume()
        next()
        return
      }
      buffer(content as AsyncIterable<Buffer>).then(
        (bytes) => {
          text = bytes.toString()
          next()
        },
        (error: unknown) => next(error instanceof Error ? error : new Error(String(error))),
      )
    })
    await pipeline(await this.read(posix.join(base, ...below)), unpack, { signal: this.#signal })
    return text
  }

  async #put(folder: string, tar: Readable): Promise<void> {
    try {
      await this.#engine.containers.archivePut(this.#id, folder, tar, this.#signal)
    } catch (error) {
      // The engine speaks of the archive here: what it holds does not fit into the image.
      if (isStatus(error, 400, 500)) throw new BuildError(`failed to copy files: ${error.message}`)
      throw error
    }
  }

  async #look(path: string): Promise<{ folder: boolean; link: string | null } | null> {
    try {
      const header = await this.#engine.raw.archiveHead(this.#id, path, this.#signal)
      const { mode = 0, linkTarget = '' } = JSON.parse(Buffer.from(String(header), 'base64').toString()) as {
        mode?: number
        linkTarget?: string
      }
      const has = (bit: number) => Math.floor(mode / bit) % 2 === 1
      return { folder: has(goMode.folder), link: has(goMode.link) ? linkTarget : null }
    } catch (error) {
      // A file on the way is no folder: the engine says 500 or 400 then.
      if (isStatus(error, 404) || (isStatus(error, 400, 500) && /not a directory/i.test(error.message))) return null
      throw error
    }
  }
}

async function addEntry(
  tar: ReturnType<typeof pack>,
  tree: FileTree,
  spool: FileHandle,
  { path, entry }: CopyEntry,
): Promise<void> {
  const { kind, mode, uid, gid, mtime, target, size } = entry
  const head = { name: path, mode, uid, gid, mtime: new Date(mtime) }
  const small = kind === 'file' && size <= readAtOnce ? await bytesOf(spool, entry) : null
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (kind === 'folder') tar.entry({ ...head, type: 'directory' }, done)
    else if (kind === 'link') tar.entry({ ...head, type: 'symlink', linkname: target }, done)
    else if (small) tar.entry({ ...head, size }, small, done)
    else pipeline(tree.read(entry), tar.entry({ ...head, size }, done)).catch(reject)
  })
}

async function bytesOf(spool: FileHandle, { at, size }: TreeEntry): Promise<Buffer> {
  const bytes = Buffer.alloc(size)
  for (let done = 0; done < size; ) {
    const { bytesRead } = await spool.read(bytes, done, size - done, at + done)
    if (bytesRead === 0) throw new Error('The file of a build context ends early.')
    done += bytesRead
  }
  return bytes
}
