import type { Duplex } from 'node:stream'
import type { Credentials } from './credentials.ts'
import { type Dial, dialTls } from './dial.ts'
import { protocols } from './protocols.ts'

/** Opens a connection to the server's registry: HTTP/1.1 over it, one request after another. */
export type RegistryDial = (signal: AbortSignal) => Promise<Duplex>

/** `credentials`: those of the moment, since they are renewed while the agent runs. Rejects as long as the host has no session. */
export function registryDial({
  dial,
  credentials,
}: {
  readonly dial: Dial
  readonly credentials: () => Credentials
}): RegistryDial {
  return async (signal) => {
    const { ca, certificate: cert, key } = credentials()
    return dialTls(dial, protocols.registry, { ca, cert, key, rejectUnauthorized: true }, signal)
  }
}
