import { once } from 'node:events'
import { openEngineCall } from './engine-call.ts'

/**
 * Settles when the engine behind the socket is gone: the end of its event stream is the signal. The filter lets next to
 * nothing through, so watching costs nothing. Rejects with the signal's reason if that is aborted first.
 */
export async function untilEngineGone(socket: string, signal: AbortSignal): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['daemon'] }))
  try {
    const stream = await openEngineCall(socket, { path: `/events?filters=${filters}`, signal })
    stream.resume()
    await once(stream, 'close', { signal })
  } catch {
    signal.throwIfAborted()
  }
}
