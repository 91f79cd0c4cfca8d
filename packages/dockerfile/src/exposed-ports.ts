import { BuildError } from './build-error.ts'

/** What EXPOSE names, as `80/tcp`, in order: a port, a range, with a protocol or not; a host's part is ignored as Docker does. */
export function exposedPorts(words: readonly string[]): string[] {
  const all = words.filter((word) => word !== '').flatMap(portsOf)
  return [...new Set(all)].sort()
}

function portsOf(word: string): string[] {
  const [ports = '', protocol = 'tcp', ...more] = word.split('/')
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(ports.split(':').at(-1) ?? '') ?? []
  const [from, to] = [Number(first), Number(last)]
  const known = /^(tcp|udp|sctp)$/i.test(protocol)
  if (!known) throw new BuildError(`Invalid proto: ${protocol}`)
  if (first === '' || more.length > 0 || from > to || to > 65_535)
    throw new BuildError(`Invalid containerPort: ${ports}`)
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol.toLowerCase()}`)
}
