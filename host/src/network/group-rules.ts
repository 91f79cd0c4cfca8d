import type { GroupPlan, RulePlan } from '@gantry/model'
import { checkedPrefix, isPrefix, prefixLength } from './address.ts'

/** Names of a group's chains and of the sets of its members' addresses. */
export const groupNames = {
  ingress: (id: string) => `g-${plain(id)}-i`,
  egress: (id: string) => `g-${plain(id)}-e`,
  members: (id: string, version: 4 | 6) => `g-${plain(id)}-${version}`,
} as const

/** What is said for the verdict of each direction: what may go out must still be let in at the other end. */
const verdicts = { ingress: 'accept', egress: 'goto deliver' } as const

/** One direction of a security group as lines of an nftables chain of the bridge family. Pure. */
export function groupChain({ rules }: GroupPlan, direction: RulePlan['direction']): string[] {
  const lines = rules.filter((rule) => rule.direction === direction).flatMap((rule) => ruleLine(rule) ?? [])
  return [...new Set(lines)]
}

/** Groups whose members' addresses the rules ask for. */
export function remoteGroups({ rules }: GroupPlan): { readonly id: string; readonly version: 4 | 6 }[] {
  return rules.flatMap(({ remoteGroupId, version }) => (remoteGroupId === null ? [] : [{ id: remoteGroupId, version }]))
}

/** null: a rule that means nothing lets nothing through, and must not keep the others from holding. */
function ruleLine(rule: RulePlan): string | null {
  const [protocol, remote] = [protocolMatch(rule), remoteMatch(rule)]
  if (protocol === null || remote === null) return null
  const family = rule.version === 4 ? 'ether type ip' : 'ether type ip6'
  return [family, remote, protocol, verdicts[rule.direction]].filter((part) => part !== '').join(' ')
}

function remoteMatch({ direction, version, remoteGroupId, remotePrefix }: RulePlan): string | null {
  const field = `${version === 4 ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'}`
  if (remoteGroupId !== null) return `${field} @${groupNames.members(remoteGroupId, version)}`
  if (remotePrefix === null) return ''
  if (!isPrefix(remotePrefix, version)) return null
  const prefix = checkedPrefix(remotePrefix, version)
  return prefixLength(prefix) === 0 ? '' : `${field} ${prefix}`
}

const numbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, 'ipv6-icmp': 58, sctp: 132 }
/** Those whose first four bytes are a source and a destination port: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const withPorts = new Set([6, 17, 33, 132, 136])

function protocolMatch({ protocol, version, portMin, portMax }: RulePlan): string | null {
  if (protocol === null || protocol === 'any') return ''
  let number = numbers[protocol] ?? (/^\d{1,3}$/.test(protocol) ? Number(protocol) : -1)
  // As Neutron understands it: the protocol's name stands for that of the rule's version.
  if (number === 1 && version === 6) number = 58
  if (number < 0 || number > 255) return null
  if (portMin === null && portMax === null) return `meta l4proto ${number}`
  if (number === 1 || number === 58) {
    if ((portMin ?? 0) > 255 || (portMax ?? 0) > 255) return null
    const name = number === 1 ? 'icmp' : 'icmpv6'
    const type = portMin === null ? '' : ` ${name} type ${portMin}`
    return `meta l4proto ${number}${type}${portMax === null ? '' : ` ${name} code ${portMax}`}`
  }
  if (!withPorts.has(number)) return `meta l4proto ${number}`
  const [low, high] = [portMin ?? portMax ?? 0, portMax ?? portMin ?? 65_535]
  if (low > high) return null
  return `meta l4proto ${number} th dport ${low === high ? low : `${low}-${high}`}`
}

function plain(id: string): string {
  return id.replaceAll(/[^0-9a-zA-Z]/g, '')
}
