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
  const asked = new Set<string>()
  for (const { publicPort: port, protocol, address } of publish) {
    if (port === null) continue
    if (count > 1) throw new Fault('port.for-one', { port, protocol, count })
    const place = `${address ?? ''} ${port}/${protocol}`
    if (asked.has(place)) throw new Fault('port.repeated', { port, protocol })
    asked.add(place)
  }
  const addresses = new Set(publish.flatMap(({ address }) => (address === null ? [] : [address])))
  for (const address of addresses) await networks.floatingIps.get(caller, address)
}
