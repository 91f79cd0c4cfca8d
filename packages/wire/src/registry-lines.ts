import type { TLSSocket } from 'node:tls'
import type { HostId } from '@gantry/model'

/** Serves HTTP/1.1, the OCI distribution spec, on the connection of a host. Owns the socket from then on. */
export type ServeRegistry = (socket: TLSSocket, hostId: HostId) => void

/** An agent opens sixteen at most; the old ones of one that was killed may not have ended yet. */
const mostPerHost = 64
const keepAliveMs = 15_000

/** The connections over which hosts read and write images. */
export interface RegistryLines {
  /** false: it has too many. */
  open(socket: TLSSocket, hostId: HostId): boolean
  end(hostId: HostId): void
}

export function registryLines(serve: ServeRegistry): RegistryLines {
  const lines = new Map<HostId, Set<TLSSocket>>()
  return {
    open(socket, hostId) {
      const mine = lines.get(hostId) ?? new Set()
      if (mine.size >= mostPerHost) return false
      lines.set(hostId, mine.add(socket))
      socket.once('close', () => {
        mine.delete(socket)
        if (mine.size === 0 && lines.get(hostId) === mine) lines.delete(hostId)
      })
      // A machine that vanished without a word would hold its place for hours.
      socket.setKeepAlive(true, keepAliveMs)
      serve(socket, hostId)
      return true
    },
    end(hostId) {
      for (const socket of lines.get(hostId) ?? []) socket.destroy()
    },
  }
}
