import { Fault } from '@gantry/kernel'

/** Who sends to which upload now. */
export interface UploadWriters {
  /**
   * Calls `write` when nobody else sends to this upload. Whoever did so is cut off: a client that sends again has given up the
   * connection of before, which may go on to look alive for a long time. Throws `upload.out-of-order` there.
   */
  alone<T>(id: string, write: (cutOff: AbortSignal) => Promise<T>): Promise<T>
}

interface Writer {
  readonly stop: AbortController
  readonly ended: Promise<void>
}

export function uploadWriters(): UploadWriters {
  const writers = new Map<string, Writer>()
  return {
    async alone(id, write) {
      for (let other = writers.get(id); other; other = writers.get(id)) {
        other.stop.abort(new Fault('upload.out-of-order', { upload: id, received: 'more' }))
        await other.ended
      }
      const stop = new AbortController()
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      writers.set(id, { stop, ended })
      try {
        return await write(stop.signal)
      } catch (error) {
        throw stop.signal.aborted ? stop.signal.reason : error
      } finally {
        writers.delete(id)
        resolve()
      }
    },
  }
}
