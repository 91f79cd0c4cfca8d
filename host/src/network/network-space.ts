import type { NetworkPlan, Nic } from '@gantry/model'
import { keyLocks } from '../volumes/key-locks.ts'
import { checkedMac } from './address.ts'
import { kernelLinks } from './kernel-links.ts'
import { latestOnly } from './latest-only.ts'
import { bridgeName, linkNames, namespaceName, namespacePath } from './names.ts'
import { networkRules, type Ruleset, type RulesInput, transaction, wholeTransaction } from './network-rules.ts'
import { type NetTools, ToolError } from './run-in.ts'

export interface NetworkSpaceOptions {
  readonly tag: string
  readonly plan: NetworkPlan
  readonly tools: NetTools
  /** Path of the namespace where the engine looks for a container's interface. */
  readonly engineSpace: string
  readonly rules: () => RulesInput
  /** What must have ended before, as the removal of an older one of the same id. */
  readonly after: Promise<unknown> | undefined
}

/** One network in the kernel: a namespace with a bridge, the ports on it and the rules between them. */
export interface NetworkSpace {
  readonly path: string
  take(plan: NetworkPlan): void
  /** Brings namespace, bridge and rules to be; repeatable. Whoever needs the network calls it first. */
  ensure(): Promise<void>
  /** The rules as they must be now. Resolves when they are in force. */
  refresh(): Promise<void>
  /** Makes a port ahead of its use, unless there is one of that name, which a running container may be using. */
  prepare(nic: Nic): Promise<void>
  /** Puts a port on the bridge, its other end waiting in the engine's namespace. Only for one that nobody uses. */
  plug(nic: Nic): Promise<void>
  /** The engine has taken the other end: what is there is no longer there for the next. */
  taken(portId: string): void
  unplug(portId: string): Promise<void>
  /** Whatever was known of the kernel may be wrong. */
  doubt(): void
  /** Removes ports that no nic stands for. */
  tidy(): Promise<void>
  remove(): Promise<void>
}

export function networkSpace({ tag, tools, engineSpace, rules, after, ...options }: NetworkSpaceOptions): NetworkSpace {
  const path = namespacePath(tag, options.plan.id)
  const ports = keyLocks()
  let plan = options.plan
  /** null: not known, all is to be replaced. */
  let inForce: Ruleset | null = null
  let built: Promise<void> | null = null
  /** Ports whose other end waits in the engine's namespace. */
  const ready = new Set<string>()

  let removed = false

  const build = async () => {
    await after
    if (removed) throw new ToolError('The network was removed from this host.')
    await ensureNamespace(tools, tag, plan.id)
    await tools.sh(path, bridgeScript(plan.mtu))
  }
  const ensure = () => {
    built ??= build().catch((error: unknown) => {
      built = null
      throw error
    })
    return built
  }

  const refresh = latestOnly(async () => {
    if (removed) return
    await ensure()
    const wanted = networkRules(rules())
    const text = inForce === null ? wholeTransaction(wanted) : transaction(inForce, wanted)
    if (text === '') return
    // Should it fail half way (it cannot, but the process may be killed), all is replaced the next time.
    inForce = null
    await tools.nft(path, text)
    inForce = wanted
  })

  const addLines = (nic: Nic) => {
    const [port, peer] = [linkNames.port(nic.portId), linkNames.container(nic.portId)]
    const other = `name ${peer} mtu ${plan.mtu} address ${checkedMac(nic.mac)} netns ${engineSpace}`
    return [`link add ${port} mtu ${plan.mtu} type veth peer ${other}`, `link set ${port} master ${bridgeName} up`]
  }
  const link = (nic: Nic, task: () => Promise<void>) =>
    ports.run([nic.portId], async () => {
      if (ready.has(nic.portId)) return
      await task()
      ready.add(nic.portId)
    })

  return {
    path,
    take: (next) => {
      if (next.mtu !== plan.mtu) built = null
      plan = next
    },
    ensure,
    refresh,
    prepare: async (nic) => {
      await ensure()
      const made = link(nic, () => tools.ip(path, addLines(nic)))
      // There is one already, or something is wrong: `plug` will tell.
      await Promise.all([made.catch(() => undefined), refresh()])
    },
    plug: async (nic) => {
      await ensure()
      const stale = { may: `link del ${linkNames.port(nic.portId)}` }
      await Promise.all([link(nic, () => tools.ip(path, [stale, ...addLines(nic)])), refresh()])
    },
    taken: (portId) => void ready.delete(portId),
    unplug: (portId) => {
      ready.delete(portId)
      return ports.run([portId], async () => {
        if (!removed) await tools.ip(path, [{ may: `link del ${linkNames.port(portId)}` }])
      })
    },
    doubt: () => {
      built = null
      inForce = null
    },
    tidy: async () => {
      await ensure()
      const wanted = new Set(rules().nics.map(({ portId }) => linkNames.port(portId)))
      const there = [...(await kernelLinks(tools, path)).keys()].filter((name) => name.startsWith('gp'))
      const stale = there.filter((name) => !wanted.has(name))
      if (stale.length > 0)
        await tools.ip(
          path,
          stale.map((name) => ({ may: `link del ${name}` })),
        )
    },
    remove: async () => {
      removed = true
      await refresh().catch(() => undefined)
      await removeNamespace(tools, tag, plan.id)
    },
  }
}

/**
 * The bridge floods what it does not know and speaks no protocol of its own. br_netfilter shows the frames to the rules;
 * the bridge itself has no address, so the namespace is nobody's neighbour.
 */
function bridgeScript(mtu: number): string {
  return `
cd /proc/sys/net
for file in bridge-nf-call-iptables bridge-nf-call-ip6tables; do echo 1 > bridge/$file; done
echo 0 > ipv4/ip_forward
echo 1 > ipv6/conf/default/disable_ipv6
echo 1 > ipv6/conf/all/disable_ipv6
ip link set lo up
ip link show ${bridgeName} >/dev/null 2>&1 || ip link add ${bridgeName} type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip link set ${bridgeName} mtu ${mtu} up
`
}

/** Makes a named namespace unless a working one is there. */
export async function ensureNamespace(tools: NetTools, tag: string, id: string): Promise<void> {
  const name = namespaceName(tag, id)
  const path = namespacePath(tag, id)
  // A kill in the middle of `ip netns add` leaves a file that is no namespace.
  await tools.sh(
    null,
    `nsenter --net=${path} true 2>/dev/null || { ip netns del ${name} 2>/dev/null || rm -f ${path}; ip netns add ${name}; }`,
  )
}

export async function removeNamespace(tools: NetTools, tag: string, id: string): Promise<void> {
  const name = namespaceName(tag, id)
  const path = namespacePath(tag, id)
  await tools.sh(null, `[ ! -e ${path} ] || ip netns del ${name} 2>/dev/null || rm -f ${path}`)
}
