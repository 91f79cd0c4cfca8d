import { Fault } from '@gantry/kernel'
import type { ContainerSpec, Host } from '@gantry/model'
import { architectureName } from './architectures.ts'

/** One condition on a host, as `node.labels.disk==ssd`. */
export interface HostRule {
  readonly text: string
  readonly holds: (host: Host) => boolean
}

/** Whom a container is to be with on a host, or (`apart`) not. */
export interface NeighbourRule {
  readonly text: string
  readonly apart: boolean
  readonly matches: (neighbour: Neighbour) => boolean
  /** The container itself is one of those it means: the first of a group may go anywhere. */
  readonly meansItself: boolean
}

/** A container of the same project that has a host. */
export interface Neighbour {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  readonly hostId: Host['id']
}

/** What a user said about where a container is to run. */
export interface Rules {
  readonly hosts: readonly HostRule[]
  readonly neighbours: readonly NeighbourRule[]
}

const none: Rules = { hosts: [], neighbours: [] }
const mostRules = 32
/** Hints that the Docker API's users give as labels. */
const hintLabel = 'com.gantry.hint.'
const swarmLabels = {
  constraints: 'com.docker.swarm.constraints',
  affinities: 'com.docker.swarm.affinities',
} as const

/**
 * Reads a container's hints, and the labels that stand for hints: Zun's `label:<key>`, Nova's `same_host` and `different_host`,
 * `constraints`, `affinity` and `anti_affinity`, and the two labels of Docker's first Swarm. Other hints mean nothing, as in Zun.
 * Throws `request.invalid` for what cannot be read. Pure.
 */
export function rulesOf(spec: Pick<ContainerSpec, 'hints' | 'labels' | 'image'>): Rules {
  const hints = hintsOf(spec)
  const said = Object.entries(hints)
  if (said.length === 0) return none
  const hosts: HostRule[] = []
  const neighbours: NeighbourRule[] = []
  for (const [hint, value] of said) {
    if (hint.startsWith('label:')) hosts.push(labelRule(hint.slice('label:'.length), value))
    else if (hint === 'constraints') hosts.push(...listOf(hint, value).map(hostRule))
    else if (hint === 'affinity')
      neighbours.push(...listOf(hint, value).map((text) => neighbourRule(text, false, spec)))
    else if (hint === 'anti_affinity') {
      neighbours.push(...listOf(hint, value).map((text) => neighbourRule(text, true, spec)))
    } else if (hint === 'same_host' || hint === 'different_host') {
      const apart = hint === 'different_host'
      neighbours.push(...listOf(hint, value).map((ref) => containerRule(ref, ref, apart)))
    }
  }
  if (hosts.length + neighbours.length > mostRules) {
    throw invalid(`A container has at most ${mostRules} rules about its host, not ${hosts.length + neighbours.length}.`)
  }
  return { hosts, neighbours }
}

function hintsOf({ hints, labels }: Pick<ContainerSpec, 'hints' | 'labels'>): Readonly<Record<string, string>> {
  const found: Record<string, string> = { ...hints }
  for (const [name, value] of Object.entries(labels)) {
    if (name.startsWith(hintLabel)) found[name.slice(hintLabel.length)] = value
    else if (name === swarmLabels.constraints) found['constraints'] = value
    else if (name === swarmLabels.affinities) found['affinity'] = value
  }
  return found
}

/** A JSON array of texts, or texts with commas between them. */
function listOf(hint: string, text: string): string[] {
  if (!text.trimStart().startsWith('[')) {
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }
  try {
    const items: unknown = JSON.parse(text)
    if (Array.isArray(items) && items.every((item) => typeof item === 'string')) return items
  } catch {
    // Told below.
  }
  throw invalid(`Hint ${hint} must be texts with commas between them, or a JSON array of texts.`)
}

interface Comparison {
  readonly key: string
  readonly equal: boolean
  readonly value: string
}

function comparisonOf(text: string): Comparison | null {
  const match = /^\s*([^=!\s]+)\s*(==|!=|=)\s*(.*?)\s*$/.exec(text)
  if (!match) return null
  const [, key = '', operator, value = ''] = match
  if (value.startsWith('~')) throw invalid(`${text} asks softly (~), which is not supported; leave the ~ away.`)
  return { key, equal: operator !== '!=', value }
}

function hostRule(text: string): HostRule {
  const comparison = comparisonOf(text)
  if (!comparison) throw invalid(`Constraint ${text} must read KEY==VALUE or KEY!=VALUE, as node.labels.disk==ssd.`)
  const { key, equal, value } = comparison
  const property = propertyOf(key)
  const wanted = key === 'node.platform.arch' ? architectureName(value) : value
  return { text, holds: (host) => (property(host) === wanted) === equal }
}

function labelRule(label: string, value: string): HostRule {
  const text = `label:${JSON.stringify([label, value])}`
  return { text, holds: ({ facts }) => facts.labels[label] === value }
}

/** A property of hosts by Swarm's names; any other name is that of a label. */
function propertyOf(key: string): (host: Host) => string | undefined {
  switch (key) {
    case 'node.id':
      return ({ id }) => id
    case 'node':
    case 'node.hostname':
      return ({ name }) => name
    case 'node.zone':
      return ({ availabilityZone }) => availabilityZone
    case 'node.platform.os':
    case 'ostype':
      return ({ facts }) => facts.osType
    case 'node.platform.arch':
      return ({ facts }) => architectureName(facts.architecture)
    case 'engine.name':
      return ({ facts }) => facts.engine.name
    default: {
      const label = key.replace(/^(node|engine)\.labels\./, '')
      if (label === key && /^(node|engine)\./.test(key)) throw invalid(`Hosts have no property ${key}.`)
      return ({ facts }) => facts.labels[label]
    }
  }
}

function neighbourRule(text: string, apart: boolean, self: Pick<ContainerSpec, 'labels' | 'image'>): NeighbourRule {
  const comparison = comparisonOf(text)
  if (!comparison) return containerRule(text, text.trim(), apart)
  const { key, equal, value } = comparison
  const isApart = apart === equal
  if (key === 'container') return containerRule(text, value, isApart)
  if (key === 'image') {
    return { text, apart: isApart, matches: ({ image }) => image === value, meansItself: self.image === value }
  }
  return {
    text,
    apart: isApart,
    matches: ({ labels }) => labels[key] === value,
    meansItself: self.labels[key] === value,
  }
}

function containerRule(text: string, ref: string, apart: boolean): NeighbourRule {
  return { text, apart, matches: ({ id, name }) => id === ref || name === ref, meansItself: false }
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
