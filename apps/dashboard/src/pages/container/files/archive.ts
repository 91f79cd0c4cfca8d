import { createTarDecoder, createTarPacker } from 'modern-tar'
import { request } from '../../../api/client.ts'
import { containerPath } from '../../../api/containers.ts'
import { mustBeFew, type Picked } from './dropped.ts'

const tarType = 'application/x-tar'

/** One archive of all files. Throws a sentence where they are too many. The browser keeps a large one on its disk. */
export async function packed(files: readonly Picked[]): Promise<Blob> {
  mustBeFew(files)
  const { readable, controller } = createTarPacker()
  const write = async () => {
    for (const { path, file } of files) {
      if (file === null) {
        await controller.add({ name: path, size: 0, type: 'directory', mode: 0o755, mtime: new Date() }).close()
        continue
      }
      const { size, lastModified } = file
      const entry = controller.add({ name: path, size, type: 'file', mode: 0o644, mtime: new Date(lastModified) })
      await file.stream().pipeTo(entry)
    }
    controller.finalize()
  }
  const [blob] = await Promise.all([
    new Response(readable, { headers: { 'content-type': tarType } }).blob(),
    write().catch((error: unknown) => {
      controller.error(error)
      throw error
    }),
  ])
  return blob
}

/** Where the archive of a path is; a link may lead there. */
export function archiveAddress(id: string, path: string): string {
  return `${containerPath(id)}/archive?${new URLSearchParams({ path }).toString()}`
}

/** What is in one file. Throws `ApiError`, and an Error with a sentence if it is none. */
export async function fileContent(id: string, path: string, signal: AbortSignal): Promise<Blob> {
  const answer = await request(`${containerPath(id)}/archive`, { query: { path }, signal })
  const reader = answer.body?.pipeThrough(createTarDecoder()).getReader()
  const entry = (await reader?.read())?.value
  if (!entry || (entry.header.type !== undefined && entry.header.type !== 'file')) {
    throw new Error('It is no plain file; download it as an archive.')
  }
  return new Response(entry.body, { headers: { 'content-type': 'application/octet-stream' } }).blob()
}
