import { Fault } from '@gantry/kernel'
import type { Caller, FloatingIp, Publish } from '@gantry/model'
import { canonicalBody } from './canonical-body.ts'
import type { DockerContext } from './context.ts'
import { Refusal } from './errors.ts'
import type { ConfigBody, HostConfigBody } from './schemas-create.ts'

/** Ways to say "wherever the outside is": the address that the published ports of the project share. */
const anyAddress: readonly string[] = ['', '0.0.0.0', '::', '[::]', 'pub']

/**
 * What is published of a new container and what may come in. Every host address but a floating IP of the project's is
 * `policy.field`: ports of hosts belong to nobody.
 */
export async function portsOf(
  { control }: DockerContext,
  caller: Caller,
  { config, host }: { readonly config: ConfigBody; readonly host: HostConfigBody },
): Promise<{ publish: Publish[]; exposedPorts: string[]; publishAll: boolean }> {
  const bindings = bindingsIn(host)
  const exposed = Object.keys(config.ExposedPorts ?? {}).flatMap(portsIn)
  const named = bindings.some(({ HostIp }) => !anyAddress.includes(HostIp))
  const ips = named ? await control.network.floatingIps.list(caller) : []
  const publish = bindings.map((binding) => publishOf(binding, ips))
  const opened = [...exposed, ...bindings].map(({ port, protocol }) => `${port}/${protocol}`)
  return { publish, exposedPorts: [...new Set(opened)], publishAll: host.PublishAllPorts === true }
}

interface ContainerPort {
  readonly port: number
  readonly protocol: string
}

interface Binding extends ContainerPort {
  readonly HostIp: string
  readonly HostPort: string
}

/** `80`, `80/tcp` or `3000-3010/udp`. */
function portsIn(text: string): ContainerPort[] {
  const [, first = '', last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (from < 1 || to > 65_535 || to < from) throw new Refusal(400, `invalid port specification: "${text}"`)
  return Array.from({ length: to - from + 1 }, (_, index) => ({ port: from + index, protocol: protocol.toLowerCase() }))
}

function bindingsIn({ PortBindings }: HostConfigBody): Binding[] {
  return Object.entries(PortBindings ?? {}).flatMap(([key, value]) => {
    const ports = portsIn(key)
    const list = Array.isArray(value) ? (value as unknown[]) : []
    // No binding at all means: publish it anywhere.
    const entries = list.length === 0 ? [{}] : list
    return entries.flatMap((entry) => {
      const { HostIp, HostPort } = canonicalBody(entry, ['HostIp', 'HostPort'])
      const texts = { HostIp: textOf(HostIp), HostPort: textOf(HostPort) }
      return ports.map((port) => ({ ...port, ...texts }))
    })
  })
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new Refusal(400, 'invalid PortBindings: HostIp and HostPort must be strings')
}

function publishOf({ port, protocol, HostIp, HostPort }: Binding, ips: readonly FloatingIp[]): Publish {
  if (protocol !== 'tcp' && protocol !== 'udp') {
    const reason = 'tcp and udp can be published'
    throw new Fault('policy.field', { field: `PortBindings ${port}/${protocol}`, reason })
  }
  return { protocol, containerPort: port, publicPort: publicPortOf(HostPort), address: addressOf(HostIp, ips) }
}

/** null: a free one is chosen. The first of a range: the CLI sends one only for a single port to be put anywhere in it. */
function publicPortOf(text: string): number | null {
  if (text === '' || text === '0') return null
  const [, digits = ''] = /^(\d{1,5})(?:-\d{1,5})?$/.exec(text) ?? []
  const port = Number(digits)
  if (port < 1 || port > 65_535) throw new Refusal(400, `invalid port specification: "${text}"`)
  return port
}

function addressOf(text: string, ips: readonly FloatingIp[]): string | null {
  if (anyAddress.includes(text)) return null
  if (ips.some(({ address }) => address === text)) return text
  const reason = 'ports are published on the public address of the project, or on a floating IP that it has'
  throw new Fault('policy.field', { field: `PortBindings.HostIp ${text}`, reason })
}
