import { inTurn } from '../among-servers.ts'
import type { NetworkVerbs } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import { extensionsOf } from './extensions.ts'
import { sweepNetworks } from './half-made.ts'
import type { Parts } from './parts.ts'
import { floatingIps } from './verbs-floating-ips.ts'
import { groups } from './verbs-groups.ts'
import { networks } from './verbs-networks.ts'
import { ports } from './verbs-ports.ts'
import { publishedOf } from './verbs-published.ts'
import { routers } from './verbs-routers.ts'
import { subnets } from './verbs-subnets.ts'
import { wholeNetworks } from './whole-networks.ts'

export interface NeutronVerbs extends NetworkVerbs, Disposable {
  /** Takes back what a dead server has half made; looks again now and then. */
  start(): void
}

const sweepEveryMs = 10 * 60_000

/** Networks of an OpenStack, with the rights of whoever asks. */
export function neutronVerbs(given: Parts): NeutronVerbs {
  const parts = { ...given, extensions: extensionsOf(given) }
  const { forget, ...whole } = wholeNetworks(parts)
  const plain = networks(parts)
  let timer: NodeJS.Timeout | undefined
  const sweep = (isFirst: boolean) => {
    inTurn(parts, 'sweep of networks', () => sweepNetworks(parts, isFirst && !parts.servers)).catch(
      (error: unknown) => {
        parts.log.warn({ reason: reasonOf(error) }, 'networks at Neutron were not swept; tried again later')
      },
    )
  }
  return {
    networks: {
      ...plain,
      ...whole,
      async delete(caller, ref) {
        await plain.delete(caller, ref)
        forget(caller.projectId)
      },
      async rename(caller, ref, name) {
        const renamed = await plain.rename(caller, ref, name)
        forget(renamed.projectId)
        return renamed
      },
    },
    subnets: subnets(parts),
    ports: ports(parts),
    groups: groups(parts),
    routers: routers(parts),
    floatingIps: floatingIps(parts),
    publishedOf: publishedOf(parts),
    start() {
      sweep(true)
      timer = setInterval(() => sweep(false), sweepEveryMs).unref()
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
