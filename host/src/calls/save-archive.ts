import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { isStrings, recordOf } from './image-archive.ts'
import { fileHeader, filePadding, tarEnd, wholeFile } from '../engine/tar-blocks.ts'

/** An engine's own description of what it saved is small. Bytes. */
const largestManifest = 16 << 20

/**
 * An engine's archive of images with the names that `names` gives for the engine's, and without those that it does not
 * know. Links stay as engines make them. Constant memory.
 */
export function renamedArchive(input: Readable, names: ReadonlyMap<string, readonly string[]>): Readable {
  return Readable.from(rewritten(input, names), { objectMode: false, highWaterMark: 1 << 20 })
}

async function* rewritten(input: Readable, names: ReadonlyMap<string, readonly string[]>): AsyncGenerator<Buffer> {
  const entries = extract()
  const feeding = pipeline(input, entries)
  feeding.catch(() => undefined)
  for await (const entry of entries) {
    const { name, type, size, linkname } = entry.header
    const isDropped = dropped.includes(name) || (type !== 'file' && type !== 'symlink')
    if (isDropped) entry.resume()
    else if (name === 'manifest.json') {
      const manifest = renamed(await wholeOf(entry as AsyncIterable<Buffer>), names)
      yield wholeFile(name, manifest)
      yield wholeFile('repositories', repositoriesOf(manifest))
    } else if (type === 'symlink') {
      entry.resume()
      yield linkHeader(name, linkname)
    } else {
      yield fileHeader(name, size)
      yield* entry as AsyncIterable<Buffer>
      yield filePadding(size)
    }
  }
  await feeding
  yield tarEnd
}

/** They repeat the engine's names; what reads them reads `manifest.json` rather. */
const dropped: readonly string[] = ['repositories', 'index.json', 'oci-layout']

async function wholeOf(entry: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of entry) {
    size += part.length
    if (size > largestManifest) throw new Error('The engine described too many images.')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function renamed(text: Buffer, names: ReadonlyMap<string, readonly string[]>): Buffer {
  const manifest: unknown = JSON.parse(text.toString('utf8'))
  const items = (Array.isArray(manifest) ? manifest : []).map((item: unknown) => {
    const fields = recordOf(item)
    const tags = isStrings(fields['RepoTags']) ? fields['RepoTags'] : []
    const own = [...new Set(tags.flatMap((tag) => names.get(tag) ?? []))]
    return { ...fields, RepoTags: own.length > 0 ? own : null }
  })
  return Buffer.from(JSON.stringify(items))
}

/** As clients before manifests read it: by repository and tag, the folder of the top layer. */
function repositoriesOf(manifest: Buffer): Buffer {
  const repositories: Record<string, Record<string, string>> = {}
  for (const { RepoTags, Layers } of JSON.parse(manifest.toString('utf8')) as {
    RepoTags: string[] | null
    Layers?: string[]
  }[]) {
    for (const name of RepoTags ?? []) {
      const colon = name.lastIndexOf(':')
      const repo = name.slice(0, colon)
      repositories[repo] = {
        ...repositories[repo],
        [name.slice(colon + 1)]: (Layers?.at(-1) ?? '').split('/', 1)[0] ?? '',
      }
    }
  }
  return Buffer.from(JSON.stringify(repositories))
}

/** Of a symbolic link: an empty file's, with another type and its target. */
function linkHeader(name: string, target: string): Buffer {
  const header = fileHeader(name, 0)
  header.write('2', 156, 'latin1')
  header.write(target, 157, 100, 'latin1')
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0`, 148, 'latin1')
  return header
}
