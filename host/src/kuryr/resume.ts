import { backoff, reasonOf } from '@gantry/kernel'
import { isOpenStackError } from '@gantry/openstack'
import type { Binder } from '../network/binding/binder.ts'
import type { Attachment } from './attachment.ts'
import type { Site } from './site.ts'
import { isFiltered } from './vif-of.ts'

export interface ResumeParts {
  readonly site: Site
  readonly attachment: Attachment
  readonly binder: Binder
}

const mostTries = 8
const pause = { baseMs: 500, maxMs: 30_000 }

/**
 * Goes on with ports that a plugin before us plugged and did not live to put onto their bridge: their filter was not in force
 * yet, and without it nothing of them passes. Those that are gone from Neutron are the sweep's. Rejects with nothing.
 */
export async function resumePlugging(parts: ResumeParts, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; attempt < mostTries && !signal.aborted; attempt += 1) {
    try {
      for (const portId of await parts.binder.loose()) await resume(parts, portId)
      return
    } catch (error) {
      parts.site.log.warn(
        { attempt, reason: reasonOf(error) },
        'ports of an earlier plugin are not on their bridges yet',
      )
      await backoff(attempt, pause, signal).catch(() => undefined)
    }
  }
}

async function resume({ site, attachment, binder }: ResumeParts, portId: string): Promise<void> {
  try {
    const port = await site.binding.ports.show(portId, site.context())
    const [network, vif] = await Promise.all([
      site.binding.networks.show(port.network_id, site.context()),
      attachment.attach(port),
    ])
    const { network_id: networkId, mac_address: mac } = port
    await binder.prepare({ portId, networkId, mac, mtu: network.mtu ?? 1500, vif, filtered: isFiltered(port) })
    site.log.info({ port: portId }, 'went on with a port of an earlier plugin')
  } catch (error) {
    if (!isOpenStackError(error, 404)) throw error
  }
}
