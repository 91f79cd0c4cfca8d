import type { Readable } from 'node:stream'
import { encodeFrame } from '@gantry/wire'
import { answerTo } from './errors.ts'

/** "Errors originating from the system" among Docker's frames: its client fails with what is in them. */
const systemError = 3
const headerBytes = 8

/**
 * Watches what a stream carries; answers what is to follow if it breaks off, so that whoever reads it does not take what came for
 * all there is: a stream without a length ends just as well when it was cut. Without a terminal only between two frames.
 */
export function lastWords(output: Readable, tty: boolean): (error: unknown) => Buffer {
  const isBetweenFrames = tty ? () => true : frameBorders(output)
  return (error) => {
    const { message } = answerTo(error)
    if (tty) return Buffer.from(`\r\n${message}\r\n`)
    return isBetweenFrames() ? encodeFrame(systemError, Buffer.from(message)) : Buffer.alloc(0)
  }
}

function frameBorders(output: Readable): () => boolean {
  let header: Buffer = Buffer.alloc(0)
  let left = 0
  output.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const part = chunk.subarray(at, at + headerBytes - header.length)
        header = Buffer.concat([header, part])
        at += part.length
        if (header.length < headerBytes) return
        left = header.readUInt32BE(4)
        header = Buffer.alloc(0)
      }
      const step = Math.min(left, chunk.length - at)
      left -= step
      at += step
    }
  })
  return () => left === 0 && header.length === 0
}
