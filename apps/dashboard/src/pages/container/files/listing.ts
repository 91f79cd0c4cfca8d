import { createTarDecoder } from 'modern-tar'
import { request } from '../../../api/client.ts'
import { containerPath } from '../../../api/containers.ts'
import { frameKinds, framesOf, readFrames } from '../../../api/frames.ts'
import { type Entry, entriesOfStat, entryOfHeader, findCommand } from './entries.ts'

export interface Listing {
  readonly entries: readonly Entry[]
  /** There is more than is listed. */
  readonly isPartial: boolean
}

const mostEntries = 10_000
/** How much of a folder's content one reads to find the names in it. */
const mostTarBytes = 64 * 1024 * 1024

/**
 * What is in a folder. A running container is asked by a command of its own, which is quick; without one (no `find` and `stat` in the
 * image, or it does not run) the names are taken from the archive of the folder, of which no more than a part may be read.
 */
export async function listFolder(id: string, path: string, isRunning: boolean, signal: AbortSignal): Promise<Listing> {
  const told = isRunning ? await listByCommand(id, path, signal).catch(unlessAborted(signal)) : undefined
  return told ?? listByArchive(id, path, signal)
}

function unlessAborted(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (signal.aborted) throw error
    return undefined
  }
}

/** undefined: it could not be run, or failed. */
async function listByCommand(id: string, path: string, signal: AbortSignal): Promise<Listing | undefined> {
  const json = new TextEncoder().encode(JSON.stringify({ command: findCommand(path) }))
  const args = btoa(String.fromCharCode(...json))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
  const answer = await request(`${containerPath(id)}/exec`, { method: 'POST', query: { args }, signal })
  const decoder = new TextDecoder()
  let [output, end] = ['', '']
  await readFrames(framesOf(answer), ({ kind, bytes }) => {
    if (kind === frameKinds.stdout) output += decoder.decode(bytes, { stream: true })
    if (kind === frameKinds.end) end += new TextDecoder().decode(bytes)
  })
  const { exitCode } = JSON.parse(end) as { readonly exitCode: number }
  const entries = entriesOfStat(output)
  // Something may have vanished meanwhile, which is a failure of `find`, but not of the list.
  if (exitCode !== 0 && entries.length === 0) return undefined
  return { entries: entries.slice(0, mostEntries), isPartial: entries.length > mostEntries }
}

async function listByArchive(id: string, path: string, signal: AbortSignal): Promise<Listing> {
  const enough = new AbortController()
  const both = AbortSignal.any([signal, enough.signal])
  const answer = await request(`${containerPath(id)}/archive`, { query: { path: folderPath(path) }, signal: both })
  if (!answer.body) return { entries: [], isPartial: false }
  let bytes = 0
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length
      controller.enqueue(chunk)
    },
  })
  const reader = answer.body.pipeThrough(counted).pipeThrough(createTarDecoder()).getReader()
  const found = new Map<string, Entry>()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { entries: [...found.values()], isPartial: false }
    await value.body.cancel()
    const entry = entryOfHeader(value.header)
    if (entry && !found.has(entry.name)) found.set(entry.name, entry)
    if (bytes > mostTarBytes || found.size >= mostEntries) {
      enough.abort()
      return { entries: [...found.values()], isPartial: true }
    }
  }
}

/** With `/.` a link to a folder is followed. */
export function folderPath(path: string): string {
  return path === '/' ? '/.' : `${path}/.`
}
