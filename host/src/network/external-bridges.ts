import type { NetworkPlan } from '@gantry/model'
import { isIPv4 } from 'node:net'
import { checkedAddress, checkedPrefix, prefixLength } from './address.ts'
import { kernelLinks } from './kernel-links.ts'
import { latestOnly } from './latest-only.ts'
import { linkNames } from './names.ts'
import type { IpLine, NetTools } from './run-in.ts'

export interface ExternalBridgesOptions {
  readonly tag: string
  readonly tools: NetTools
  readonly engineSpace: string
  /** External networks that the host was told of. */
  readonly plans: () => readonly NetworkPlan[]
}

/**
 * The bridges of external networks, in the engine's own namespace, where the machine has its ways out: the machine is their
 * gateway, and hides their addresses behind its own towards everybody else.
 */
export interface ExternalBridges {
  /** Brings bridges, addresses, forwarding and rules to the plans; repeatable. */
  refresh(): Promise<void>
}

export function externalBridges({ tag, tools, engineSpace, plans }: ExternalBridgesOptions): ExternalBridges {
  const mark = `gantry-${tag}`
  return {
    refresh: latestOnly(async () => {
      const networks = plans()
      const there = await kernelLinks(tools, engineSpace)
      const names = networks.map(({ id }) => linkNames.external(id))
      const lines = [...there.values()]
        .filter(({ alias, name }) => alias === mark && !names.includes(name))
        .map(({ name }): IpLine => ({ may: `link del ${name}` }))
      for (const network of networks)
        lines.push(...bridgeLines(network, mark, there.get(linkNames.external(network.id))?.addresses))
      if (lines.length > 0) await tools.ip(engineSpace, lines)
      await tools.nft(engineSpace, masquerade(mark, networks))
      await tools.sh(engineSpace, forwardScript(mark, networks))
    }),
  }
}

function bridgeLines({ id, mtu, subnets }: NetworkPlan, mark: string, have: readonly string[] | undefined): IpLine[] {
  const name = linkNames.external(id)
  const wanted = subnets.flatMap(({ gateway, cidr, version }) =>
    gateway === null ? [] : [`${checkedAddress(gateway, version)}/${prefixLength(checkedPrefix(cidr, version))}`],
  )
  return [
    ...(have ? [] : [`link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`]),
    `link set ${name} alias ${mark}`,
    `link set ${name} mtu ${mtu} up`,
    ...wanted
      .filter((address) => have?.includes(address) !== true)
      .map((address) => `addr add ${address} dev ${name}${isIPv4(address.split('/')[0] ?? '') ? '' : ' nodad'}`),
    ...(have ?? [])
      .filter((address) => !wanted.includes(address))
      .map((address) => ({ may: `addr del ${address} dev ${name}` })),
  ]
}

/** One table for all external networks of this agent, replaced as a whole. */
function masquerade(mark: string, networks: readonly NetworkPlan[]): string {
  const lines = networks.flatMap(({ id, subnets }) =>
    subnets.map(({ cidr, version }) => {
      const field = version === 4 ? 'ip saddr' : 'ip6 saddr'
      return `    ${field} ${checkedPrefix(cidr, version)} oifname != "${linkNames.external(id)}" masquerade\n`
    }),
  )
  const clear = `add table inet ${mark}\ndelete table inet ${mark}\n`
  if (lines.length === 0) return clear
  return `${clear}table inet ${mark} {
  chain postrouting { type nat hook postrouting priority srcnat; policy accept;
${lines.join('')}  }
}
`
}

/**
 * Docker lets nothing through FORWARD but for its own bridges, in iptables; where that is not installed nobody shuts the way.
 * The IPv6 switch is turned only when it is needed: a machine that forwards takes no route from its own router any more.
 */
function forwardScript(mark: string, networks: readonly NetworkPlan[]): string {
  const names = networks.map(({ id }) => linkNames.external(id))
  const six = networks.some(({ subnets }) => subnets.some(({ version }) => version === 6))
  return `
${networks.length === 0 ? '' : 'echo 1 > /proc/sys/net/ipv4/ip_forward'}
${six ? 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding' : ''}
for tables in iptables ip6tables; do
  command -v $tables >/dev/null || continue
  rules=$($tables -w 5 -S FORWARD 2>/dev/null) || continue
  echo "$rules" | grep -e '--comment "\\?${mark}"\\? ' | while read -r _ rule; do
    case " ${names.join(' ')} " in *" $(echo "$rule" | sed 's/.* -[io] \\([^ ]*\\) .*/\\1/') "*) continue ;; esac
    $tables -w 5 -D $(echo "$rule" | tr -d '"') || true
  done
  for name in ${names.join(' ')}; do
    for way in -i -o; do
      $tables -w 5 -C FORWARD $way $name -m comment --comment ${mark} -j ACCEPT 2>/dev/null ||
        $tables -w 5 -I FORWARD $way $name -m comment --comment ${mark} -j ACCEPT
    done
  done
done
`
}
