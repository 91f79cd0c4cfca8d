import type { NetRequest } from '@gantry/control'
import { schemaError } from './errors.ts'

interface AskedNet {
  readonly network?: string
  readonly port?: string
  readonly 'v4-fixed-ip'?: string
  readonly 'v6-fixed-ip'?: string
}

/** From a checked `nets`. */
export function toNets(value: unknown): NetRequest[] {
  return ((value ?? []) as readonly AskedNet[]).map((net) => {
    const addresses = [net['v4-fixed-ip'], net['v6-fixed-ip']].filter(
      (address): address is string => address !== undefined && address !== '',
    )
    return toNet({ network: net.network, port: net.port, addresses })
  })
}

/** A network with the addresses asked for on it, or a port, which has its own. */
export function toNet(asked: {
  readonly network: string | undefined
  readonly port: string | undefined
  readonly addresses: readonly string[]
}): NetRequest {
  const { network, port, addresses } = asked
  if ((network === undefined) === (port === undefined)) {
    throw schemaError('Exactly one of network and port is required.')
  }
  if (network !== undefined) return { network, addresses }
  if (addresses.length > 0) throw schemaError('A port has its addresses already; a fixed IP goes with a network only.')
  return { port: port ?? '' }
}
