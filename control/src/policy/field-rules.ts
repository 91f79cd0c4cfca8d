import { configRules, endpointRules, execRules } from './config-rules.ts'
import { type FieldRules, refusedBy } from './field-rule.ts'
import { hostConfigRules } from './host-config-rules.ts'
import { registryDangers } from './registry-address.ts'
import { buildRules, networkRules, volumeRules } from './request-rules.ts'

/** Not a field: where images come from. */
const registryRules: FieldRules = {
  Registry: refusedBy(
    "Loopback, private, link-local and metadata addresses in any spelling, and names without a dot or of the inside (.local, .internal …), are of the host's own network",
    (domain) => registryDangers(String(domain)),
    ['Registry', 'Registry:10.0.0.5', 'Registry:10.0.0.5:5000'],
  ),
}

/** Every field of the Engine API, 1.24 to 1.44, by which something can be asked for. */
export const fieldRules = {
  config: configRules,
  hostConfig: hostConfigRules,
  endpoint: endpointRules,
  exec: execRules,
  build: buildRules,
  volume: volumeRules,
  network: networkRules,
  registry: registryRules,
} as const satisfies Record<string, FieldRules>

/** What is wrong with a word of a policy file: null when some rule knows it. */
export function grantProblem(word: string): string | null {
  const [name = ''] = word.split(':', 1)
  const known = Object.values<FieldRules>(fieldRules).flatMap((rules) =>
    Object.values(rules).flatMap((rule) => rule.lifts),
  )
  const fitting = known.filter((lift) => lift.split(':', 1)[0] === name)
  if (fitting.length === 0) {
    const named = Object.values<FieldRules>(fieldRules).some((rules) => Object.hasOwn(rules, name))
    return named ? `${name} cannot be granted` : `there is no field ${JSON.stringify(name)} to grant`
  }
  if (word === name && !known.includes(name)) return `${name} is granted by value only, such as ${fitting.join(' or ')}`
  if (word !== name && !fitting.some((lift) => lift.includes(':')))
    return `${name} is granted as a whole, without a value`
  if (word.endsWith(':')) return `${word} lacks its value`
  return null
}
