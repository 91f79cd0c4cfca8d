import type { Caller, Container, Nic, Volume } from '@gantry/model'
import type { DockerContext } from './context.ts'
import { dockerId } from './ids.ts'
import { nameOfVolume, placeOf } from './known-volumes.ts'
import { driverOf } from './volume-options.ts'
import type { Surroundings } from './surroundings.ts'
import { networkNames } from './translate-networks.ts'
import { stateOf } from './translate-state.ts'

type Json = Readonly<Record<string, unknown>>
type Published = ReadonlyMap<
  string,
  readonly {
    readonly address: string
    readonly containerPort: number
    readonly publicPort: number
    readonly protocol: string
  }[]
>

/** Looks up once what the views of these containers show: names of networks, published ports, volumes. */
export async function surroundingsOf(
  { control }: DockerContext,
  caller: Caller,
  containers: readonly Container[],
): Promise<Surroundings> {
  const needsVolumes = containers.some(({ mounts }) => mounts.some(({ kind }) => kind === 'volume'))
  const [names, published, volumes] = await Promise.all([
    networkNames(control, caller),
    control.network.publishedOf(caller, containers),
    needsVolumes ? control.storage.volumes.list(caller) : [],
  ])
  const volumesById = new Map(volumes.map((volume) => [volume.id, volume]))
  const nameOf = ({ networkId }: Nic) => names.get(networkId) ?? networkId
  const networks = (container: Container): Json =>
    container.nics.length === 0
      ? { none: endpointOfNone }
      : Object.fromEntries(container.nics.map((nic) => [nameOf(nic), endpointOf(container, nic)]))
  return {
    networks,
    ports: (container) => portsOf(container, published),
    portMap: (container) => portMapOf(container, published),
    primaryNetwork: (container) => primaryOf(container, nameOf),
    networkMode: (container) => modeOf(container, nameOf),
    mounts: (container) => mountsOf(container, volumesById),
  }
}

/** Where a container is plugged but does not run, the API shows no addresses. */
function endpointOf(container: Container, nic: Nic): Json {
  const { id, name, spec } = container
  const lives = ['running', 'paused', 'restarting'].includes(stateOf(container))
  const v4 = nic.addresses.find(({ version }) => version === 4)
  const v6 = nic.addresses.find(({ version }) => version === 6)
  const aliases = [...new Set([...(spec.options?.aliases?.[nic.networkId] ?? []), dockerId(id).slice(0, 12)])]
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: aliases,
    DNSNames: [name, ...aliases],
    MacAddress: lives ? nic.mac : '',
    NetworkID: dockerId(nic.networkId),
    EndpointID: lives ? dockerId(nic.portId) : '',
    Gateway: (lives && v4?.gateway) || '',
    IPAddress: (lives && v4?.address) || '',
    IPPrefixLen: (lives && v4?.prefix) || 0,
    IPv6Gateway: (lives && v6?.gateway) || '',
    GlobalIPv6Address: (lives && v6?.address) || '',
    GlobalIPv6PrefixLen: (lives && v6?.prefix) || 0,
    DriverOpts: null,
  }
}

const endpointOfNone = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  MacAddress: '',
  DriverOpts: null,
}

/** Outside of the map the API repeats the addresses of the network `bridge` only. */
function primaryOf(container: Container, nameOf: (nic: Nic) => string): Json {
  const bridge = container.nics.find((nic) => nameOf(nic) === 'bridge')
  const {
    EndpointID,
    Gateway,
    IPAddress,
    IPPrefixLen,
    IPv6Gateway,
    GlobalIPv6Address,
    GlobalIPv6PrefixLen,
    MacAddress,
  } = bridge ? (endpointOf(container, bridge) as typeof endpointOfNone) : endpointOfNone
  return {
    EndpointID,
    Gateway,
    GlobalIPv6Address,
    GlobalIPv6PrefixLen,
    IPAddress,
    IPPrefixLen,
    IPv6Gateway,
    MacAddress,
  }
}

function modeOf({ spec, nics }: Container, nameOf: (nic: Nic) => string): string {
  const asked = spec.options?.asked?.['hostConfig'] as { NetworkMode?: unknown } | undefined
  if (typeof asked?.NetworkMode === 'string' && asked.NetworkMode !== '') return asked.NetworkMode
  const [primary] = nics
  return primary ? nameOf(primary) : 'none'
}

/** Ports that it exposes, its own and the image's, each once. */
function exposedOf({ spec, observed }: Container): string[] {
  return [...new Set([...(observed.engine?.ports ?? []), ...spec.exposedPorts])].filter((port) => port !== '…')
}

function isUp(container: Container): boolean {
  return ['running', 'paused'].includes(stateOf(container))
}

function portsOf(container: Container, published: Published): Json[] {
  if (!isUp(container)) return []
  const mine = published.get(container.id) ?? []
  const open = mine.map(({ address, containerPort, publicPort, protocol }) => ({
    IP: address,
    PrivatePort: containerPort,
    PublicPort: publicPort,
    Type: protocol,
  }))
  const rest = exposedOf(container).flatMap((port) => {
    const [number = '', protocol = 'tcp'] = port.split('/')
    const isOpen = mine.some((one) => one.containerPort === Number(number) && one.protocol === protocol)
    return isOpen ? [] : [{ PrivatePort: Number(number), Type: protocol }]
  })
  return [...rest, ...open]
}

function portMapOf(container: Container, published: Published): Json {
  if (!isUp(container)) return {}
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {}
  for (const port of exposedOf(container)) map[port] = null
  for (const { address, containerPort, publicPort, protocol } of published.get(container.id) ?? []) {
    const key = `${containerPort}/${protocol}`
    map[key] = [...(map[key] ?? []), { HostIp: address, HostPort: String(publicPort) }]
  }
  return map
}

function mountsOf({ mounts, spec }: Container, volumes: ReadonlyMap<string, Volume>): Json[] {
  const bound = mounts.map((mount) => {
    const base = { Destination: mount.destination, Mode: '', Propagation: '' }
    if (mount.kind === 'file') return { Type: 'bind', Source: '', ...base, RW: true }
    const volume = volumes.get(mount.volumeId)
    const Name = volume ? nameOfVolume(volume) : mount.volumeId.replaceAll('-', '')
    const Driver = volume ? driverOf(volume) : 'local'
    return { Type: 'volume', Name, Source: placeOf(Name), Driver, ...base, Mode: 'z', RW: !mount.readOnly }
  })
  // Those of HostConfig.Tmpfs are told there only.
  const asked = spec.options?.asked?.['hostConfig']
  const told = typeof asked === 'object' && asked !== null && 'Tmpfs' in asked ? Object.keys(asked.Tmpfs ?? {}) : []
  const unsaid = Object.keys(spec.options?.tmpfs ?? {}).filter((path) => !told.includes(path))
  const memory = unsaid.map((Destination) => ({
    Type: 'tmpfs',
    Source: '',
    Destination,
    Mode: '',
    RW: true,
    Propagation: '',
  }))
  return [...bound, ...memory]
}
