import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Connector } from './connector.ts'

/** `connector` of an attachment, in the words that Cinder's drivers look for. */
export async function connectorProperties(
  { host, address }: { readonly host: string; readonly address?: string },
  connectors: readonly Connector[],
): Promise<Readonly<Record<string, unknown>>> {
  const own = await Promise.all(connectors.map(async (connector) => connector.properties?.()))
  return Object.assign(
    {
      host,
      ip: address ?? (await ownAddress()),
      platform: process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch,
      os_type: process.platform,
      multipath: false,
      do_local_attach: false,
    },
    ...own,
  )
}

/** The one that this machine's packets to the rest of the world bear; none is sent. */
async function ownAddress(): Promise<string> {
  const socket = createSocket('udp4')
  try {
    // Of the addresses kept for documentation.
    socket.connect(9, '192.0.2.1')
    await once(socket, 'connect')
    return socket.address().address
  } catch {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  } finally {
    socket.close()
  }
}
