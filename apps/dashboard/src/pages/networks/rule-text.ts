import type { RuleView } from '@gantry/facade-native/views'

/** `tcp 80 from everybody (IPv4)`. */
export function ruleText(rule: RuleView, groupName: (id: string) => string): string {
  const { direction, protocol, portMin, portMax, remoteGroupId, remotePrefix, version } = rule
  const ports =
    portMin === null ? '' : ` ${portMin === portMax || portMax === null ? portMin : `${portMin}–${portMax}`}`
  const word = direction === 'ingress' ? 'from' : 'to'
  const whom = remoteGroupId === null ? (remotePrefix ?? 'everybody') : `members of ${groupName(remoteGroupId)}`
  return `${protocol ?? 'anything'}${ports} ${word} ${whom} (IPv${version})`
}
