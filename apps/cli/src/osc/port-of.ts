import { InvalidArgumentError } from 'commander'

export interface PublishedPort {
  /** `22/tcp`. */
  readonly inside: string
  /** Empty: one is chosen. */
  readonly outside: string
}

const number = /^([1-9]\d{0,4})?$/

/** `pub:222:22`, `222:22`, `22`, each perhaps with `/udp`; `pub` is the network public, the only place there is. */
export function portOf(text: string): PublishedPort {
  const [, ports = '', protocol = 'tcp'] = /^(?:pub(?:lic)?:)?([\d:]+)(?:\/(tcp|udp))?$/.exec(text) ?? []
  const [first = '', second = first, more] = ports.split(':')
  const inside = Number(second)
  const outside = ports.includes(':') ? first : ''
  if (more === undefined && inside > 0 && inside < 65_536 && number.test(outside) && Number(outside) < 65_536) {
    return { inside: `${inside}/${protocol}`, outside }
  }
  throw new InvalidArgumentError('Write it as pub:OUTSIDE:INSIDE, for example pub:222:22.')
}
