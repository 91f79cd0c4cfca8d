import { once } from 'node:events'
import net from 'node:net'
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls'

/** Opens a plain connection to a relay; TLS is put on top. */
export type Dial = (signal: AbortSignal) => Promise<net.Socket>

const connectMs = 10_000
/** Of a server to which all come at once, one waits for one's turn. */
const handshakeMs = 30_000

/** The usual `Dial`. */
export function dialTcp(address: { readonly host: string; readonly port: number }, patienceMs = connectMs): Dial {
  return async (signal) => {
    const socket = net.connect({ ...address, noDelay: true, keepAlive: true })
    try {
      await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) })
    } catch (error) {
      socket.destroy()
      throw error
    }
    return socket
  }
}

/**
 * A finished TLS connection for `protocol`. The relay may be reached by any name or address, so its name is not compared:
 * what is checked is that our own CA made it a server, which it does for nobody else's.
 */
export async function dialTls(
  dial: Dial,
  protocol: string,
  options: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>,
  signal: AbortSignal,
  patienceMs = handshakeMs,
): Promise<TLSSocket> {
  const plain = await dial(signal)
  const socket = tls.connect({
    ...options,
    socket: plain,
    ALPNProtocols: [protocol],
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
  })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) })
    if (socket.alpnProtocol !== protocol) throw new Error('the other end is not a relay')
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    plain.destroy()
    throw error
  }
  return socket
}
