import type { GroupPlan, Nic, RulePlan } from '@gantry/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexOfIpv6, linkLocalOf } from './address.ts'
import { groupChain } from './group-rules.ts'
import { networkRules, noRules, type Ruleset, transaction } from './network-rules.ts'

const rule = (direction: RulePlan['direction'], more: Partial<RulePlan> = {}): RulePlan => ({
  direction,
  version: 4,
  protocol: null,
  portMin: null,
  portMax: null,
  remoteGroupId: null,
  remotePrefix: null,
  ...more,
})
const id = (text: string) => text as GroupPlan['id']

describe('a rule of a security group', () => {
  const line = (more: Partial<RulePlan>, direction: RulePlan['direction'] = 'ingress') =>
    groupChain({ id: id('g1'), rules: [rule(direction, more)] }, direction)

  test.each<[string, Partial<RulePlan>, string]>([
    ['anything', {}, 'ether type ip accept'],
    ['IPv6', { version: 6 }, 'ether type ip6 accept'],
    ['one port', { protocol: 'tcp', portMin: 80, portMax: 80 }, 'ether type ip meta l4proto 6 th dport 80 accept'],
    ['ports', { protocol: 'udp', portMin: 1, portMax: 9 }, 'ether type ip meta l4proto 17 th dport 1-9 accept'],
    ['a number', { protocol: '112' }, 'ether type ip meta l4proto 112 accept'],
    [
      'ICMP',
      { protocol: 'icmp', portMin: 8, portMax: 0 },
      'ether type ip meta l4proto 1 icmp type 8 icmp code 0 accept',
    ],
    ['ICMP of version 6', { protocol: 'icmp', version: 6 }, 'ether type ip6 meta l4proto 58 accept'],
    ['a prefix', { remotePrefix: '10.0.0.0/8' }, 'ether type ip ip saddr 10.0.0.0/8 accept'],
    ['everybody', { remotePrefix: '0.0.0.0/0' }, 'ether type ip accept'],
    ['a group', { remoteGroupId: id('a-b') }, 'ether type ip ip saddr @g-ab-4 accept'],
  ])('for %s', (_name, more, expected) => {
    expect(line(more)).toEqual([expected])
  })

  test('of the way out goes on to the other end', () => {
    expect(line({ remotePrefix: '10.0.0.0/8' }, 'egress')).toEqual(['ether type ip ip daddr 10.0.0.0/8 goto deliver'])
  })

  test.each<[Partial<RulePlan>]>([
    [{ protocol: 'tcp; accept' }],
    [{ protocol: 'tcp', portMin: 9, portMax: 1 }],
    [{ protocol: 'icmp', portMin: 300 }],
    [{ remotePrefix: '10.0.0.0/8 accept; #' }],
    [{ remotePrefix: 'fd00::/8' }],
  ])('that means nothing lets nothing through: %o', (more) => {
    expect(line(more)).toEqual([])
  })
})

test('addresses as rules need them', () => {
  expect(linkLocalOf('fa:16:3e:00:00:01')).toBe('fe80::f816:3eff:fe00:1')
  expect(hexOfIpv6('fd00::1:2')).toBe('0xfd000000000000000000000000010002')
  expect(hexOfIpv6('::ffff:10.0.0.1')).toBe('0x00000000000000000000ffff0a000001')
})

const hex = (at: number) => at.toString(16).padStart(12, '0')
const nicAt = (at: number, groups: readonly string[], filtered: boolean): Nic => ({
  portId: hex(at).split('').toReversed().join('') as Nic['portId'],
  networkId: 'n' as Nic['networkId'],
  mac: `fa:16:3e:00:00:0${at}`,
  addresses: [
    {
      address: `10.0.0.${at}`,
      prefix: 24,
      version: 4,
      subnetId: 's' as Nic['addresses'][number]['subnetId'],
      gateway: null,
    },
  ],
  groups: groups as Nic['groups'],
  filtered,
  preserve: false,
})

/** What a network may look like: some ports in some of three groups, whose rules name one another. */
const worlds = fc
  .record({
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
    groups: fc.array(fc.subarray(['ga', 'gb', 'gc']), { minLength: 6, maxLength: 6 }),
    filtered: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    remotes: fc.array(fc.option(fc.constantFrom('ga', 'gb', 'gc')), { minLength: 3, maxLength: 3 }),
  })
  .map(({ ports, groups, filtered, remotes }): Ruleset => {
    const nics = ports.map((at) => nicAt(at, groups[at - 1] ?? [], filtered[at - 1] ?? true))
    const plans = new Map(
      ['ga', 'gb', 'gc'].map((name, at) => {
        const remote = remotes[at] ?? null
        const rules = [rule('egress'), rule('ingress', { remoteGroupId: remote === null ? null : id(remote) })]
        return [name, { id: id(name), rules }]
      }),
    )
    return networkRules({
      nics,
      group: (name) => plans.get(name),
      members: (name) =>
        nics.filter((nic) => nic.groups.includes(id(name))).map(({ addresses }) => addresses[0]?.address ?? ''),
    })
  })

/** Carries a transaction out on a ruleset as the kernel would, and refuses what the kernel refuses. */
function applied(before: Ruleset, text: string): Ruleset {
  const chains = new Map([...before.chains].map(([name, lines]) => [name, [...lines]]))
  const sets = new Map(
    [...before.sets].map(([name, { type, elements }]) => [name, { type, elements: new Set(elements) }]),
  )
  const maps = { from: new Map(before.from), to: new Map(before.to) }
  const used = (name: string) =>
    [...chains.values()].flat().some((line) => line.split(' ').some((word) => word === name || word === `@${name}`)) ||
    [...maps.from.values(), ...maps.to.values()].includes(`goto ${name}`)
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [verb = '', kind = '', , , name = '', ...rest] = line.split(' ')
    const words = rest.join(' ')
    const elements = /^\{ (.*) \}$/.exec(words)?.[1]?.split(', ') ?? []
    if (verb === 'add' && kind === 'chain') chains.set(name, [])
    else if (verb === 'add' && kind === 'rule') {
      for (const target of words.matchAll(/(?:jump|goto) (g[\w-]+)/g)) expect(chains.has(target[1] ?? '')).toBe(true)
      for (const target of words.matchAll(/@(g[\w-]+)/g)) expect(sets.has(target[1] ?? '')).toBe(true)
      chains.get(name)?.push(words)
    } else if (verb === 'flush') chains.set(name, [])
    else if (verb === 'add' && kind === 'set')
      sets.set(name, { type: /type (.*);/.exec(words)?.[1] ?? '', elements: new Set() })
    else if (verb === 'delete' && kind !== 'element') {
      expect(used(name)).toBe(false)
      expect(kind === 'chain' ? chains.delete(name) : sets.delete(name)).toBe(true)
    } else if (name === 'from' || name === 'to') {
      for (const element of elements) {
        const [, port = '', verdict = ''] = /^"(\w+)"(?: : (.*))?$/.exec(element) ?? []
        if (verb === 'delete') expect(maps[name].delete(port)).toBe(true)
        else maps[name].set(port, verdict)
      }
    } else {
      for (const element of elements) {
        if (verb === 'delete') expect(sets.get(name)?.elements.delete(element)).toBe(true)
        else sets.get(name)?.elements.add(element)
      }
    }
  }
  return { chains, sets, from: maps.from, to: maps.to }
}

describe('a transaction', () => {
  test('leads from any rules to any others, in an order that the kernel takes', () => {
    fc.assert(
      fc.property(worlds, worlds, (one, other) => {
        const first = applied(noRules, transaction(noRules, one))
        expect(first).toEqual(one)
        expect(applied(first, transaction(one, other))).toEqual(other)
      }),
    )
  })

  test('leaves nothing behind, and is empty when nothing changes', () => {
    fc.assert(
      fc.property(worlds, (one) => {
        expect(transaction(one, one)).toBe('')
        expect(applied(one, transaction(one, noRules))).toEqual(noRules)
      }),
    )
  })

  test('for one more port says nothing of the others', () => {
    const group: GroupPlan = { id: id('ga'), rules: [rule('egress'), rule('ingress', { remoteGroupId: id('ga') })] }
    const world = (count: number) => {
      const nics = Array.from({ length: count }, (_, at) => nicAt(at + 1, ['ga'], true))
      const members = () => nics.map(({ addresses }) => addresses[0]?.address ?? '')
      return networkRules({ nics, group: () => group, members })
    }
    const text = transaction(world(5), world(6))
    expect(text).toContain('add element bridge gantry g-ga-4 { 10.0.0.6 }')
    expect(text).not.toMatch(/10\.0\.0\.[1-5]|flush|delete/)
  })
})
