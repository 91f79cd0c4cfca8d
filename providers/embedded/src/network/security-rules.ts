import { bitsOf, formatBlock, type NewRule, parseBlock } from '@gantry/control'
import type { IpVersion, SecurityGroupRule } from '@gantry/model'
import { invalid } from './parts.ts'

/** A rule without its identity: what makes two rules the same. */
export type RuleBody = Omit<SecurityGroupRule, 'id' | 'groupId'>

/** Checks a rule as Neutron does, and writes it in the one canonical way; faults say what does not go together. */
export function ruleBody(input: NewRule, remoteGroupId: SecurityGroupRule['remoteGroupId']): RuleBody {
  if (input.direction !== 'ingress' && input.direction !== 'egress') {
    throw invalid('The direction of a rule is ingress or egress.')
  }
  if (input.remoteGroup !== null && input.remotePrefix !== null) {
    throw invalid('A rule names a remote group or a remote prefix, not both.')
  }
  const remote = input.remotePrefix === null ? null : prefixOf(input.remotePrefix)
  const version = input.version ?? remote?.version ?? 4
  if (version !== 4 && version !== 6) throw invalid('The IP version of a rule is 4 or 6.')
  if (remote && remote.version !== version) {
    throw invalid(`Remote prefix ${input.remotePrefix} is not one of IPv${version}.`)
  }
  const protocol = protocolOf(input.protocol, version)
  return {
    direction: input.direction,
    version,
    protocol,
    ...portsOf(protocol, input.portMin, input.portMax),
    remoteGroupId,
    remotePrefix: remote?.text ?? null,
  }
}

export function isSameRule(one: RuleBody, other: RuleBody): boolean {
  const keys = ['direction', 'version', 'protocol', 'portMin', 'portMax', 'remoteGroupId', 'remotePrefix'] as const
  return keys.every((key) => one[key] === other[key])
}

/** Everything in one direction, over one IP version. */
export function openRule(direction: RuleBody['direction'], version: IpVersion): RuleBody {
  return {
    direction,
    version,
    protocol: null,
    portMin: null,
    portMax: null,
    remoteGroupId: null,
    remotePrefix: null,
  }
}

/** `80/tcp` as Docker writes it. */
export function exposedPort(text: string): Pick<RuleBody, 'protocol' | 'portMin' | 'portMax'> {
  const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text.toLowerCase()) ?? []
  const port = Number(digits)
  if (port < 1 || port > 65_535) throw invalid(`${text} is not a port like 80/tcp or 53/udp.`)
  return { protocol, portMin: port, portMax: port }
}

function prefixOf(text: string): { version: IpVersion; text: string } {
  const block = parseBlock(text.includes('/') ? text : `${text}/${bitsOf(text.includes(':') ? 6 : 4)}`)
  if (!block) throw invalid(`${text} is not a prefix like 10.0.0.0/8 or fd00::/8.`)
  return { version: block.version, text: formatBlock(block) }
}

/** Names and other spellings of what Neutron knows by more than one; numbers become names. */
const spellings: Readonly<Record<string, string>> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '58': 'icmpv6',
  '132': 'sctp',
  'ipv6-icmp': 'icmpv6',
}
const known = new Set(['tcp', 'udp', 'icmp', 'icmpv6', 'sctp'])

function protocolOf(given: string | null, version: IpVersion): string | null {
  const text = given?.toLowerCase() ?? 'any'
  if (text === 'any' || text === '0' || text === '') return null
  const protocol = /^\d+$/.test(text) ? String(Number(text)) : text
  const name = spellings[protocol] ?? protocol
  if (!known.has(name) && !(/^\d{1,3}$/.test(name) && Number(name) <= 255)) {
    throw invalid(`${given} is not a protocol: tcp, udp, icmp, icmpv6, sctp, or a number from 0 to 255.`)
  }
  if (name === 'icmpv6' && version === 4) throw invalid('icmpv6 goes with IPv6; give the rule IP version 6.')
  return name === 'icmp' && version === 6 ? 'icmpv6' : name
}

function portsOf(
  protocol: string | null,
  min: number | null,
  max: number | null,
): Pick<RuleBody, 'portMin' | 'portMax'> {
  if (min === null && max === null) return { portMin: null, portMax: null }
  if (protocol === 'icmp' || protocol === 'icmpv6') {
    if (min === null) throw invalid('A rule for an ICMP code needs the ICMP type too.')
    for (const number of [min, max ?? 0]) {
      if (!isWithin(number, 0, 255)) throw invalid(`ICMP types and codes are 0 to 255, not ${number}.`)
    }
    return { portMin: min, portMax: max }
  }
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw invalid('Ports go with tcp, udp and sctp only; name one of them in the rule.')
  }
  const [from, to] = [min ?? max ?? 0, max ?? min ?? 0]
  for (const number of [from, to]) {
    if (!isWithin(number, 1, 65_535)) throw invalid(`Ports are 1 to 65535, not ${number}.`)
  }
  if (from > to) throw invalid(`The range of ports begins at ${from} and ends below it, at ${to}.`)
  return { portMin: from, portMax: to }
}

function isWithin(number: number, least: number, most: number): boolean {
  return Number.isInteger(number) && number >= least && number <= most
}
