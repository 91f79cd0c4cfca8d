import type { Socket } from 'node:net'
import { type Readable, Transform } from 'node:stream'
import { encodeFrame, frameKinds } from '@gantry/wire'

/** The caller's bytes to a stdin, no faster than it takes them; with `end`, the end of one is the end of the other. */
export function feed(input: Readable, socket: Socket, options: { readonly end: boolean }): void {
  if (socket.destroyed) return void input.resume()
  // A process that ends without reading its stdin closes the socket: no mishap.
  input.on('error', () => socket.destroy())
  input.pipe(socket, options)
  socket.on('close', () => input.unpipe(socket))
}

/** A terminal has one raw stream; where the caller is to get it as frames all the same. */
export function framing(): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, encodeFrame(frameKinds.stdout, chunk)),
  })
}
