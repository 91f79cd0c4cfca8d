import type { RouterPlan } from '@gantry/model'
import { isIPv4 } from 'node:net'
import { checkedAddress, checkedMac } from './address.ts'
import { type KernelLink, kernelLinks } from './kernel-links.ts'
import { latestOnly } from './latest-only.ts'
import { bridgeName, linkNames, namespacePath } from './names.ts'
import { ensureNamespace, type NetworkSpace, removeNamespace } from './network-space.ts'
import { routerRules } from './router-rules.ts'
import type { IpLine, NetTools } from './run-in.ts'

export interface RouterSpaceOptions {
  readonly tag: string
  readonly plan: RouterPlan
  readonly tools: NetTools
  readonly engineSpace: string
  readonly network: (id: string) => NetworkSpace | undefined
  /** Bytes, of a network. */
  readonly mtuOf: (id: string) => number
  /** Makes the bridge of an external network; resolves with its name. */
  readonly externalBridge: (id: string) => Promise<string>
  /** What must have ended before, as the removal of an older one of the same id. */
  readonly after: Promise<unknown> | undefined
}

/** One router in the kernel: a namespace with a leg in each of its networks and one outside. */
export interface RouterSpace {
  readonly plan: RouterPlan
  take(plan: RouterPlan): void
  /** Brings everything to the newest plan; repeatable. */
  refresh(): Promise<void>
  remove(): Promise<void>
}

/** One interface as it must be. */
interface Leg {
  readonly name: string
  readonly mac: string
  readonly mtu: number
  /** With prefix; the first is the main one. */
  readonly addresses: readonly string[]
  /** Where the other end goes: into which namespace, on which bridge, and called what. */
  readonly space: string
  readonly bridge: string
  readonly peer: string
}

export function routerSpace(options: RouterSpaceOptions): RouterSpace {
  const { tag, tools, engineSpace } = options
  let plan = options.plan
  const path = namespacePath(tag, plan.id)
  let rulesInForce = ''
  let removed = false

  const innerLegs = async (): Promise<Leg[]> => {
    const legs: Leg[] = []
    for (const each of plan.interfaces) {
      const network = options.network(each.networkId)
      // Told of later, or not of this host.
      if (!network) continue
      await network.ensure()
      legs.push({
        name: linkNames.router(each.portId),
        mac: checkedMac(each.mac),
        mtu: options.mtuOf(each.networkId),
        addresses: [`${checkedAddress(each.address, each.version)}/${each.prefix}`],
        space: network.path,
        bridge: bridgeName,
        peer: linkNames.routerPort(each.portId),
      })
    }
    return legs
  }

  const outerLeg = async (): Promise<Leg[]> => {
    const { external, floatingIps } = plan
    if (!external) return []
    const floating = floatingIps.map(({ address }) => `${address}/${isIPv4(address) ? 32 : 128}`)
    return [
      {
        name: linkNames.gateway(external.portId),
        mac: checkedMac(external.mac),
        mtu: options.mtuOf(external.networkId),
        addresses: [`${external.address}/${external.prefix}`, ...floating],
        space: engineSpace,
        bridge: await options.externalBridge(external.networkId),
        peer: linkNames.gatewayPort(external.portId),
      },
    ]
  }

  const setRoute = async () => {
    const { external } = plan
    if (!external) return
    await tools.ip(path, [`route replace default via ${external.gateway} dev ${linkNames.gateway(external.portId)}`])
  }

  const refresh = latestOnly(async () => {
    await options.after
    if (removed) return
    await ensureNamespace(tools, tag, plan.id)
    const legs = [...(await innerLegs()), ...(await outerLeg())]
    // After the networks: with a namespace that had to be made anew, the ends that were in it have gone.
    const there = await kernelLinks(tools, path)
    if (there.get('lo')?.up !== true) {
      await tools.sh(path, routerScript)
      rulesInForce = ''
    }
    const stale = [...there.keys()].filter((name) => /^r[ig]/.test(name) && !legs.some((leg) => leg.name === name))
    const rules = routerRules(plan)
    // Before the addresses: a floating IP must not answer for the router itself.
    if (rules !== rulesInForce) await tools.nft(path, rules)
    rulesInForce = rules
    if (stale.length > 0)
      await tools.ip(
        path,
        stale.map((name) => ({ may: `link del ${name}` })),
      )
    for (const leg of legs) await ensureLeg(tools, path, leg, there.get(leg.name))
    await setRoute()
  })

  return {
    get plan() {
      return plan
    },
    take: (next) => {
      plan = next
    },
    refresh,
    remove: async () => {
      removed = true
      await refresh().catch(() => undefined)
      await removeNamespace(tools, tag, plan.id)
    },
  }
}

/** A fresh namespace takes these from the machine, whatever they are there. */
const routerScript = `
cd /proc/sys/net
echo 1 > ipv4/ip_forward
echo 0 > ipv4/conf/all/send_redirects
echo 0 > ipv4/conf/default/send_redirects
echo 0 > ipv4/conf/all/rp_filter
echo 0 > ipv4/conf/default/rp_filter
if [ -d ipv6 ]; then
  echo 0 > ipv6/conf/all/disable_ipv6
  echo 0 > ipv6/conf/default/disable_ipv6
  echo 1 > ipv6/conf/all/forwarding
  echo 0 > ipv6/conf/default/accept_ra
  # While it still looks whether its own address is free, a router asks for no neighbour.
  echo 0 > ipv6/conf/default/accept_dad
  echo 0 > ipv6/conf/default/dad_transmits
fi
ip link set lo up
`

async function ensureLeg(tools: NetTools, path: string, leg: Leg, there: KernelLink | undefined): Promise<void> {
  const whole = there && there.mac === leg.mac && there.mtu === leg.mtu && there.up
  const lines: IpLine[] = []
  if (!whole) {
    // Of one whose other end is in a namespace that the kernel is still taking down.
    await tools.ip(leg.space, [{ may: `link del ${leg.peer}` }])
    lines.push(
      { may: `link del ${leg.name}` },
      `link add ${leg.name} mtu ${leg.mtu} address ${leg.mac} type veth peer name ${leg.peer} mtu ${leg.mtu} netns ${leg.space}`,
      `link set ${leg.name} up`,
    )
  }
  const have = new Set(whole ? there.addresses : [])
  const wanted = new Set(leg.addresses)
  // nodad: the server gave it out, and looking whether it is free would keep it silent for a second.
  for (const address of wanted) {
    if (!have.has(address))
      lines.push(`addr add ${address} dev ${leg.name}${isIPv4(address.split('/')[0] ?? '') ? '' : ' nodad'}`)
  }
  for (const address of have) if (!wanted.has(address)) lines.push({ may: `addr del ${address} dev ${leg.name}` })
  if (lines.length > 0) await tools.ip(path, lines)
  await tools.ip(leg.space, [
    `link set ${leg.peer} master ${leg.bridge} up`,
    // Whoever had a floating IP before answered with another MAC address.
    ...leg.addresses
      .slice(1)
      .filter((address) => !have.has(address))
      .map((address) => ({ may: `neigh flush to ${address} dev ${leg.bridge}` })),
  ])
}
