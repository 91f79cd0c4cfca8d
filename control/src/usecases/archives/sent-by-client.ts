import { addAbortSignal, type Readable } from 'node:stream'

/**
 * What a client sends, for readers that may give up before the end: to destroy a request would cut off the answer too, so that what
 * comes after `return` is passed over. When `signal` fires it is destroyed.
 */
export function sentByClient(tar: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  addAbortSignal(signal, tar)
  // Told to whoever reads; nobody may any more.
  tar.on('error', () => undefined)
  return chunksOf(tar)
}

async function* chunksOf(tar: Readable): AsyncGenerator<Buffer> {
  try {
    yield* tar.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } finally {
    tar.resume()
  }
}
