import { BoundedMap } from '@gantry/kernel'
import type { HostId } from '@gantry/model'

const mostImages = 1000
const mostHosts = 16

/** Where containers of an image were placed lately: these hosts have it, or are about to. Held in memory, as it only saves time. */
export class ImageSites {
  readonly #sites = new BoundedMap<string, Set<HostId>>(mostImages)

  note(imageRef: string, hostId: HostId): void {
    const hosts = this.#sites.get(imageRef) ?? new Set()
    if (hosts.size === 0) this.#sites.set(imageRef, hosts)
    hosts.delete(hostId)
    hosts.add(hostId)
    const oldest = hosts.values().next()
    if (hosts.size > mostHosts && !oldest.done) hosts.delete(oldest.value)
  }

  of(imageRef: string): ReadonlySet<HostId> | undefined {
    return this.#sites.get(imageRef)
  }
}
