import type { Socket } from 'node:net'

/** Who is at the other end, as long as the connection lasts; the same of a socket and of the TLS socket that is put on top. */
type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>

export interface Admission {
  /** A connection, of which nothing has been read. */
  offer(socket: Socket): void
  /** It needs nothing more of what the others wait for. */
  settle(peer: Peer): void
  close(): void
}

export interface AdmissionOptions {
  readonly begin: (socket: Socket) => void
  /** So many are on their way in at a time. */
  readonly atOnce: number
  /** One that takes longer keeps nobody waiting any more. Milliseconds. */
  readonly slowMs: number
  /** How long one that waits has patience: later nobody is there any more. Milliseconds. */
  readonly patienceMs: () => number
}

/**
 * Lets connections in a few at a time, in the order in which they came. When all hosts come back at once, each costs a handshake and a
 * look at what it has; begun all together, none would be done before its agent gives up, and all of it would be for nothing, again and again.
 */
export function admission({ begin, atOnce, slowMs, patienceMs }: AdmissionOptions): Admission {
  let waiting: { readonly socket: Socket; readonly since: number }[] = []
  const inside = new Map<string, NodeJS.Timeout>()

  const next = (): void => {
    while (inside.size < atOnce) {
      const first = waiting.shift()
      if (!first) return
      const { socket, since } = first
      if (socket.destroyed || performance.now() - since > patienceMs()) socket.destroy()
      else letIn(socket)
    }
  }
  const letIn = (socket: Socket): void => {
    const key = keyOf(socket)
    inside.set(
      key,
      setTimeout(() => leave(key), slowMs),
    )
    socket.once('close', () => leave(key))
    begin(socket)
  }
  const leave = (key: string): void => {
    clearTimeout(inside.get(key))
    if (inside.delete(key)) next()
  }
  return {
    offer(socket) {
      socket.on('error', () => {})
      waiting.push({ socket, since: performance.now() })
      next()
    },
    settle: (peer) => leave(keyOf(peer)),
    close() {
      for (const { socket } of waiting) socket.destroy()
      waiting = []
      for (const timer of inside.values()) clearTimeout(timer)
    },
  }
}

function keyOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`
}
