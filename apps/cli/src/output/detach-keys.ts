import { Transform } from 'node:stream'

const ctrlP = 0x10
const ctrlQ = 0x11

/**
 * Keys on their way to a container. Ctrl-P Ctrl-Q, as with docker, are not handed on: they call `onDetach` and end the
 * stream. A Ctrl-P waits for the key after it.
 */
export function detachKeys(onDetach: () => void): Transform {
  let held = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const keys = held ? Buffer.concat([Buffer.of(ctrlP), chunk]) : chunk
      const at = keys.indexOf(Buffer.of(ctrlP, ctrlQ))
      if (at >= 0) {
        held = false
        this.push(keys.subarray(0, at))
        this.push(null)
        onDetach()
        return done()
      }
      held = keys.at(-1) === ctrlP
      done(null, held ? keys.subarray(0, -1) : keys)
    },
    flush(done) {
      done(null, held ? Buffer.of(ctrlP) : undefined)
    },
  })
}
