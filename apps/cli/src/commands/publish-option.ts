import type { CreateContainer } from '@gantry/facade-native'
import { InvalidArgumentError } from 'commander'

export type Published = NonNullable<CreateContainer['publish']>[number]

/** Ways to say "wherever the outside is": the address that the published ports of the project share. */
const anyAddress: readonly string[] = ['', '0.0.0.0', 'pub', 'public']

/** `8080:80`, `80`, `8000-8002:80-82/udp`, `pub:222:22`, `172.24.4.9:80:80`: as docker's `-p`, added to those `before`. */
export function collectPublished(text: string, before: readonly Published[] = []): Published[] {
  const [all = '', protocol = 'tcp', ...more] = text.split('/')
  const parts = all.split(':')
  if (parts.length > 3 || more.length > 0) throw new InvalidArgumentError(form)
  if (protocol !== 'tcp' && protocol !== 'udp') throw new InvalidArgumentError('The protocol is tcp or udp.')
  const [inside = '', outside = '', where = ''] = parts.toReversed()
  const containerPorts = portsIn(inside)
  const publicPorts = outside === '' ? [] : portsIn(outside)
  if (publicPorts.length > 0 && publicPorts.length !== containerPorts.length) {
    throw new InvalidArgumentError('As many public ports as ports of the container, or none.')
  }
  const address = anyAddress.includes(where) ? {} : { address: addressIn(where) }
  const added = containerPorts.map((containerPort, index): Published => {
    const publicPort = publicPorts[index]
    return { containerPort, protocol, ...(publicPort !== undefined && { publicPort }), ...address }
  })
  return [...before, ...added]
}

const form = 'Write it as 8080:80, 80, 53:53/udp, 8000-8009:8000-8009 or ADDRESS:8080:80.'

function portsIn(text: string): number[] {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (from < 1 || to > 65_535 || to < from) throw new InvalidArgumentError(form)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function addressIn(text: string): string {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text
  throw new InvalidArgumentError('The address is a floating IP of the project (`gantry floating-ip list`), or pub.')
}
