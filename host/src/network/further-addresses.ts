import { setTimeout as sleep } from 'node:timers/promises'
import type { Nic, NicAddress } from '@gantry/model'
import { checkedAddress } from './address.ts'
import { kernelLinks } from './kernel-links.ts'
import type { NetTools } from './run-in.ts'

/** Docker gives an interface one address of each version. */
export function addressesForDocker({ addresses }: Nic): { v4?: NicAddress; v6?: NicAddress; further: NicAddress[] } {
  const [v4, v6] = [addresses.find(({ version }) => version === 4), addresses.find(({ version }) => version === 6)]
  const further = addresses.filter((each) => each !== v4 && each !== v6)
  return { ...(v4 && { v4 }), ...(v6 && { v6 }), further }
}

const lookMs = 50

/**
 * Gives an interface the rest of its addresses, once Docker has moved it into the container's namespace `space` (a path that may not be
 * there yet). Rejects when the signal is aborted.
 */
export async function addFurther(tools: NetTools, space: string, nic: Nic, signal: AbortSignal): Promise<void> {
  const { further } = addressesForDocker(nic)
  if (further.length === 0) return
  for (;;) {
    const links = [...(await kernelLinks(tools, space).catch(() => new Map<string, never>())).values()]
    const link = links.find(({ mac, up }) => up && mac === nic.mac.toLowerCase())
    if (link) {
      const lines = further.map(({ address, prefix, version }) => {
        const whole = `${checkedAddress(address, version)}/${prefix}`
        return { may: `addr add ${whole} dev ${link.name}${version === 6 ? ' nodad' : ''}` }
      })
      await tools.ip(space, lines)
      return
    }
    await sleep(lookMs, undefined, { signal })
  }
}
