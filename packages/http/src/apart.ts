import { Readable } from 'node:stream'

/** How much of a body may wait for whoever stores it. Bytes. */
const waiting = 1 << 20

/**
 * The same bytes as a stream of its own: who lets go of it, because it takes no more, does not cut the connection, on which the client
 * must be told why. What comes then is dropped.
 */
export function apart(body: Readable): Readable {
  const own = new Readable({
    highWaterMark: waiting,
    read: () => void body.resume(),
    destroy(error, done) {
      body.off('data', give)
      body.resume()
      done(error)
    },
  })
  const give = (chunk: Buffer) => {
    if (!own.push(chunk)) body.pause()
  }
  body.on('data', give)
  body.once('end', () => own.push(null))
  body.once('close', () => {
    if (!body.readableEnded) own.destroy(new Error('the client closed the connection'))
  })
  // The client may be gone before anybody reads, who then learns of it from the stream: until then it is nobody's error.
  own.on('error', () => undefined)
  return own
}
