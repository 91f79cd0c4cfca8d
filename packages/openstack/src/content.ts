import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Content } from './call.ts'

/** A file, as it is when it is sent. */
export async function fileContent(file: string): Promise<Content> {
  const { size } = await stat(file)
  // Node takes the end of a range as inclusive: of an empty file nothing can be asked for.
  const open = () => (size === 0 ? Readable.from([]) : createReadStream(file, { end: size - 1 }))
  return { open, bytes: size, canReopen: true }
}

export function bufferContent(bytes: Buffer): Content {
  return { open: () => Readable.from(bytes.length === 0 ? [] : [bytes]), bytes: bytes.length, canReopen: true }
}

/** A stream that can be sent once; a refused token is then an error of the call. */
export function streamContent(stream: Readable, bytes?: number): Content {
  return { open: () => stream, canReopen: false, ...(bytes !== undefined && { bytes }) }
}
