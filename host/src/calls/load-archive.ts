import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { posix } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { engineRefIn, familiarRepo, namelessRefIn, parseImageName } from '@gantry/model'
import { extract, type Header } from 'tar-stream'
import { ArchiveIndex, badArchive } from './image-archive.ts'
import { fileHeader, filePadding, tarEnd, wholeFile } from '@gantry/kernel'

/** What an engine was given, and under which names. */
export interface Loaded {
  readonly imageId: string
  /** What the project calls it, and what the engine does. */
  readonly names: readonly string[]
  readonly engineRefs: readonly string[]
}

/** A file that begins like JSON and is not larger is kept in memory: descriptions are small. Bytes. */
const largestText = 4 << 20

/**
 * An archive of images from a tenant, made anew for the engine: each file flows through under a name of ours, and what
 * describes the images comes last, written by us, with names in `space` only. Constant memory. `done` is told what it held.
 */
export function safeArchive(input: Readable, space: string, done: (loaded: readonly Loaded[]) => void): Readable {
  return Readable.from(rewritten(input, space, done), { objectMode: false, highWaterMark: 1 << 20 })
}

async function* rewritten(
  input: Readable,
  space: string,
  done: (loaded: readonly Loaded[]) => void,
): AsyncGenerator<Buffer> {
  const index = new ArchiveIndex()
  const entries = extract()
  const feeding = pipeline(await unpacked(input), entries)
  feeding.catch(() => undefined)
  let count = 0
  try {
    for await (const entry of entries) {
      const { header } = entry
      if (!isFile(header)) {
        noteOther(index, header)
        entry.resume()
        continue
      }
      const path = index.path(header.name)
      const name = `files/${(count += 1)}`
      const size = header.size ?? 0
      yield fileHeader(name, size)
      const reading = new FileReading(Math.min(largestText, index.room))
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        await reading.take(chunk)
        yield chunk
      }
      yield filePadding(size)
      index.add(path, { name, ...(await reading.end()) })
    }
    await feeding
  } catch (error) {
    if (error instanceof Error && /tar|unexpected end|header|incorrect/i.test(error.message)) {
      throw badArchive(error.message.replace(/\.$/, ''))
    }
    throw error
  }
  const images = index.images()
  const loaded = images.map(({ imageId, tags }) => namesOf(imageId, tags, space))
  const manifest = images.map(({ config, layers }, at) => ({
    Config: config,
    RepoTags: loaded[at]?.engineRefs ?? [],
    Layers: layers,
  }))
  yield wholeFile('manifest.json', Buffer.from(JSON.stringify(manifest)))
  yield tarEnd
  done(loaded)
}

function namesOf(imageId: string, tags: readonly string[], space: string): Loaded {
  const names = tags.map((tag) => {
    const parsed = parseImageName(tag)
    return { repo: familiarRepo(parsed.repo), tag: parsed.tag }
  })
  const engineRefs = names.map(({ repo, tag }) => engineRefIn(space, repo, tag))
  const nameless = namelessRefIn(space, imageId.slice('sha256:'.length, 'sha256:'.length + 12))
  return {
    imageId,
    names: names.map(({ repo, tag }) => `${repo}:${tag}`),
    engineRefs: engineRefs.length > 0 ? engineRefs : [nameless],
  }
}

function isFile({ type }: Header): boolean {
  return type === 'file' || type === 'contiguous-file'
}

function noteOther(index: ArchiveIndex, { type, name, linkname }: Header): void {
  if (type === 'directory') return
  if ((type !== 'symlink' && type !== 'link') || !linkname) throw badArchive(`${JSON.stringify(name)} is no file`)
  // A symbolic link counts from its own folder, a hard one from the top.
  const target = type === 'link' || linkname.startsWith('/') ? linkname : posix.join(posix.dirname(name), linkname)
  index.link(index.path(name), target)
}

/** Counts the digest of a file as it flows by, of what it unpacks to if it is compressed, and keeps small descriptions. */
class FileReading {
  readonly #mostText: number
  readonly #hash: Hash = createHash('sha256')
  #unzip: ReturnType<typeof createGunzip> | null = null
  #unzipped: Promise<unknown> = Promise.resolve()
  #text: Buffer[] | null = null
  #size = 0

  constructor(mostText: number) {
    this.#mostText = mostText
  }

  async take(chunk: Buffer): Promise<void> {
    if (this.#size === 0) this.#begin(chunk)
    this.#size += chunk.length
    if (this.#size > this.#mostText) this.#text = null
    this.#text?.push(chunk)
    if (!this.#unzip) this.#hash.update(chunk)
    else if (!this.#unzip.write(chunk)) await Promise.race([once(this.#unzip, 'drain'), this.#unzipped])
  }

  async end(): Promise<{ digest: string; text: Buffer | null }> {
    this.#unzip?.end()
    await this.#unzipped
    return { digest: this.#hash.digest('hex'), text: this.#text ? Buffer.concat(this.#text) : null }
  }

  #begin(chunk: Buffer): void {
    if (chunk[0] === 0x7b || chunk[0] === 0x5b) this.#text = []
    if (chunk[0] !== 0x1f || chunk[1] !== 0x8b) return
    const unzip = createGunzip()
    this.#unzip = unzip
    const hash = this.#hash
    this.#unzipped = (async () => {
      for await (const part of unzip as AsyncIterable<Buffer>) hash.update(part)
    })()
    this.#unzipped.catch(() => undefined)
  }
}

/** The archive itself may be compressed, as `docker load` takes it. */
async function unpacked(input: Readable): Promise<Readable> {
  const iterator = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { value, done } = await iterator.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  const whole = Readable.from(
    (async function* () {
      if (head.length > 0) yield head
      yield* { [Symbol.asyncIterator]: () => iterator }
    })(),
    { objectMode: false },
  )
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole
  const output = new PassThrough()
  pipeline(whole, createGunzip(), output).catch(() => undefined)
  return output
}
