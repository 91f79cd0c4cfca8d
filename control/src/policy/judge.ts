import { assertNever, Fault } from '@gantry/kernel'
import type { EngineAsk, PolicyVerbs } from '../engine-verbs.ts'
import { canonicalFields, folded, isNothing } from './canonical.ts'
import { networkKeysCheck } from './config-rules.ts'
import { type Danger, type FieldRules, type Json, mapOf } from './field-rule.ts'
import { fieldRules } from './field-rules.ts'
import type { PolicyGrants } from './grants.ts'

/** The fields that were granted, the dangerous parts of lists and maps only. */
type Granted = Record<string, unknown>

export function policyVerbs(grants: PolicyGrants): PolicyVerbs {
  return { judge: (caller, ask) => judge(ask, grants.of(caller)) }
}

/** As `PolicyVerbs.judge`, for the words granted to somebody. Pure. */
export function judge(ask: EngineAsk, words: readonly string[]): Granted {
  const { hostConfig, config, endpoint, exec, build, volume, network, registry } = fieldRules
  switch (ask.kind) {
    case 'container': {
      const { fields, misplaced } = withoutHostFields(ask.config)
      judgeFields(config, fields, words, 'ignore')
      judgeNetworking(endpoint, ask.networking, words)
      // Engines obey fields of HostConfig beside it, too. Nothing here reads them there, so they are judged and not granted.
      judgeFields(hostConfig, misplaced, [], 'refuse')
      return judgeFields(hostConfig, ask.hostConfig, words, 'refuse')
    }
    case 'update':
      return judgeFields(hostConfig, ask.hostConfig, words, 'refuse')
    case 'exec':
      return judgeFields(exec, ask.config, words, 'refuse')
    case 'build':
      return judgeFields(build, saying(ask.options), words, 'ignore')
    case 'volume':
      return judgeFields(volume, ask.body, words, 'refuse')
    case 'network':
      return judgeFields(network, ask.body, words, 'refuse')
    case 'registry':
      return judgeFields(registry, { Registry: ask.domain }, words, 'refuse')
    default:
      return assertNever(ask, 'kind of request')
  }
}

/** Fields that no rule knows are refused where an engine, or a later version of it, might obey them. */
function judgeFields(rules: FieldRules, object: Json, words: readonly string[], unknown: 'refuse' | 'ignore'): Granted {
  const granted: Granted = {}
  const fields = canonicalFields(Object.keys(rules), object)
  for (const [name, value] of Object.entries(fields)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (isNothing(value) && !(rule?.emptyCounts && Array.isArray(value))) continue
    if (!rule) {
      if (unknown === 'refuse')
        throw refusal({ field: name.slice(0, 80), reason: 'this field is not known here', lifts: [] })
      continue
    }
    const dangers = rule.check(value, fields)
    const [refused] = dangers.filter(({ lifts }) => !lifts.some((word) => words.includes(word)))
    if (refused) throw refusal(refused)
    if (dangers.length > 0) granted[name] = dangerousPart(value, dangers)
  }
  return granted
}

function dangerousPart(value: unknown, dangers: readonly Danger[]): unknown {
  if (dangers.some(({ part }) => part === undefined)) return value
  const entries = dangers.flatMap(({ key, part }): [string, unknown][] => (key === undefined ? [] : [[key, part]]))
  if (entries.length > 0) return Object.fromEntries(entries)
  return [...new Set(dangers.map(({ part }) => part))]
}

function judgeNetworking(rules: FieldRules, networking: Json, words: readonly string[]): void {
  const { EndpointsConfig, ...others } = canonicalFields(['EndpointsConfig'], networking)
  judgeFields({}, others, words, 'refuse')
  const endpoints = mapOf('EndpointsConfig', EndpointsConfig)
  const [danger] = networkKeysCheck(endpoints, networking)
  if (danger) throw refusal(danger)
  for (const endpoint of Object.values(endpoints)) {
    judgeFields(rules, mapOf('EndpointsConfig', endpoint), words, 'refuse')
  }
}

/** Fields that belong into HostConfig, picked from beside it. */
function withoutHostFields(config: Json): { readonly fields: Json; readonly misplaced: Json } {
  const own = new Set(Object.keys(fieldRules.config).map(folded))
  const hosts = new Set(Object.keys(fieldRules.hostConfig).map(folded))
  const isMisplaced = ([key]: [string, unknown]) => hosts.has(folded(key)) && !own.has(folded(key))
  const entries = Object.entries(config)
  return {
    fields: Object.fromEntries(entries.filter((entry) => !isMisplaced(entry))),
    misplaced: Object.fromEntries(entries.filter(isMisplaced)),
  }
}

/** A query's strings say nothing with the JSON of what says nothing; the processor 0 is one, though. */
function saying(options: Json): Json {
  const nothing = ['0', 'false', 'null', '[]', '{}', '-1']
  const says = ([name, value]: [string, unknown]) => !nothing.includes(String(value)) || /^cpuset/i.test(name)
  return Object.fromEntries(Object.entries(options).filter(says))
}

function refusal({ field, reason, lifts }: Danger): Fault {
  const word = lifts.find((lift) => lift.includes(':')) ?? lifts[0]
  return new Fault('policy.field', {
    field,
    reason: word === undefined ? reason : `${reason} (the operator can grant ${word})`,
  })
}
