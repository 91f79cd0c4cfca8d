import { Fault } from '@gantry/kernel'
import type { Caller, ContainerSpec } from '@gantry/model'
import type { Deps } from '../deps.ts'

/**
 * What can be said of the published ports of `count` new containers before anything is written. Throws `port.repeated`, `port.for-one`,
 * and `network.not-found` for an address that is no floating IP of the project's.
 */
export async function checkPublish(
  { networks }: Pick<Deps, 'networks'>,
  caller: Caller,
  { options }: Pick<ContainerSpec, 'options'>,
  count: number,
): Promise<void> {
  const { publish = [] } = options ?? {}
  const asked = new Map<string, number>()
  for (const { publicPort: port, containerPort, protocol, address } of publish) {
    if (port === null) continue
    if (count > 1) throw new Fault('port.for-one', { port, protocol, count })
    const place = `${address ?? ''} ${port}/${protocol}`
    // The same once more is no contradiction: Docker's clients say it for IPv4 and for IPv6.
    if ((asked.get(place) ?? containerPort) !== containerPort) throw new Fault('port.repeated', { port, protocol })
    asked.set(place, containerPort)
  }
  const addresses = new Set(publish.flatMap(({ address }) => (address === null ? [] : [address])))
  for (const address of addresses) await networks.floatingIps.get(caller, address)
}
