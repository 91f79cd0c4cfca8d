import type { Container } from '@gantry/model'
import { dockerId } from './ids.ts'
import type { Surroundings } from './surroundings.ts'
import { imageAsked } from './translate-list.ts'
import { never, stateOf } from './translate-state.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * `GET /containers/{id}/json`: what was asked, from the record; what is, from the engine (null: its host does not answer,
 * and the record says what was seen last). Nothing of the host itself is told: no paths, no names of the engine.
 */
export function inspectOf(container: Container, found: Json | null, around: Surroundings): Json {
  const { id, name, spec, observed, createdAt, wish } = container
  const { engine } = observed
  const config = part(found, 'Config')
  const host = part(found, 'HostConfig')
  const entrypoint = spec.entrypoint ?? listOf(config['Entrypoint']) ?? engine?.entrypoint ?? []
  const command = spec.command ?? listOf(config['Cmd']) ?? engine?.command ?? []
  const [path = '', ...args] = [...entrypoint, ...command]
  const size = ['SizeRw', 'SizeRootFs'].flatMap((key) => (found && key in found ? [[key, found[key]]] : []))
  return {
    Id: dockerId(id),
    Created: new Date(createdAt).toISOString(),
    Path: path,
    Args: args,
    State: stateView(container, found),
    Image: engine?.imageDigest ?? '',
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: '',
    Name: `/${name}`,
    RestartCount: engine?.restartCount ?? 0,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: typeof found?.['AppArmorProfile'] === 'string' ? found['AppArmorProfile'] : '',
    ExecIDs: null,
    HostConfig: hostConfigView(container, host, around),
    GraphDriver: { Name: 'overlay2', Data: null },
    ...Object.fromEntries(size),
    Mounts: around.mounts(container),
    Config: configView(container, config),
    NetworkSettings: {
      Bridge: '',
      SandboxID: wish.power.kind === 'running' ? dockerId(id) : '',
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SandboxKey: '',
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      Ports: around.portMap(container),
      ...around.primaryNetwork(container),
      Networks: around.networks(container),
    },
  }
}

function stateView(container: Container, found: Json | null): Json {
  const { observed } = container
  const { engine } = observed
  const state = part(found, 'State')
  const word = stateOf(container)
  const health = part(state, 'Health')
  return {
    Status: word,
    Running: word === 'running' || word === 'paused' || word === 'restarting',
    Paused: word === 'paused',
    Restarting: word === 'restarting',
    OOMKilled: engine?.oomKilled ?? false,
    Dead: word === 'dead',
    Pid: typeof state['Pid'] === 'number' ? state['Pid'] : 0,
    ExitCode: engine?.exitCode ?? 0,
    Error: engine?.error || (observed.failure?.reason ?? ''),
    StartedAt: engine?.startedAt ?? never,
    FinishedAt: engine?.finishedAt ?? never,
    ...('Status' in health && { Health: health }),
  }
}

const shownOfConfig = ['Image', 'Cmd', 'Entrypoint', 'WorkingDir', 'User', 'ExposedPorts', 'Volumes', 'OnBuild', 'Env']

/** As the engine made it of the image and what was asked; without a word from the engine, what was asked. */
function configView({ spec, id, observed }: Container, config: Json): Json {
  const asked = part(spec.options?.asked ?? null, 'config')
  const made = Object.fromEntries(shownOfConfig.map((key) => [key, config[key] ?? asked[key] ?? null]))
  const flag = (key: string) => asked[key] === true
  const labels = part(config, 'Labels')
  return {
    Hostname: config['Hostname'] ?? spec.hostname ?? observed.engine?.hostname ?? dockerId(id).slice(0, 12),
    Domainname: spec.options?.domainname ?? '',
    AttachStdin: flag('AttachStdin'),
    AttachStdout: flag('AttachStdout'),
    AttachStderr: flag('AttachStderr'),
    Tty: spec.tty,
    OpenStdin: spec.interactive,
    StdinOnce: spec.stdinOnce === true || flag('StdinOnce'),
    ...made,
    User: made['User'] ?? '',
    WorkingDir: made['WorkingDir'] ?? '',
    Env: made['Env'] ?? Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Image: imageAsked(spec),
    // The image's labels are in the engine's answer only, beside ours, which are nobody's business.
    Labels: {
      ...Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('gantry.'))),
      ...spec.labels,
    },
    ...present('Healthcheck', config['Healthcheck'] ?? asked['Healthcheck']),
    ...present('StopSignal', config['StopSignal'] ?? spec.options?.stopSignal),
    ...present('StopTimeout', spec.options?.stopTimeoutSeconds),
    ...present('Shell', config['Shell']),
  }
}

function present(name: string, value: unknown): Json {
  return value === undefined || value === null ? {} : { [name]: value }
}

const bytesPerMib = 1024 * 1024

/** As it was asked, with the limits that are in force. */
function hostConfigView(container: Container, engineHost: Json, around: Surroundings): Json {
  const { spec } = container
  const { options } = spec
  const asked = part(options?.asked ?? null, 'hostConfig')
  const memory = spec.memory * bytesPerMib
  return {
    Binds: null,
    ContainerIDFile: '',
    VolumesFrom: null,
    CgroupnsMode: 'private',
    Privileged: false,
    Links: null,
    Devices: [],
    ConsoleSize: [0, 0],
    Isolation: '',
    ...asked,
    ...boundPorts(asked['PortBindings']),
    NetworkMode: around.networkMode(container),
    IpcMode: options?.ipcMode ?? 'private',
    AutoRemove: spec.autoRemove,
    RestartPolicy: { Name: spec.restartPolicy.name, MaximumRetryCount: spec.restartPolicy.maxRetries },
    LogConfig: { Type: 'json-file', Config: options?.logOptions ?? {} },
    CapAdd: options?.capAdd ?? null,
    CapDrop: engineHost['CapDrop'] ?? options?.capDrop ?? null,
    SecurityOpt: engineHost['SecurityOpt'] ?? null,
    PidsLimit: engineHost['PidsLimit'] ?? options?.pidsLimit ?? null,
    Memory: memory,
    MemorySwap: memory,
    MemoryReservation: options?.memoryReservation ?? 0,
    NanoCpus: Math.round(spec.cpu * 1e9),
    CpuShares: options?.cpuShares ?? 0,
    ShmSize: engineHost['ShmSize'] ?? options?.shmSize ?? 64 * bytesPerMib,
    Runtime: 'runc',
    ReadonlyRootfs: options?.readonlyRootfs ?? false,
    MaskedPaths: engineHost['MaskedPaths'] ?? null,
    ReadonlyPaths: engineHost['ReadonlyPaths'] ?? null,
  }
}

/** As the engine shows them: an address that was not said is an empty one. */
function boundPorts(asked: unknown): Json {
  if (typeof asked !== 'object' || asked === null) return {}
  const whole = (each: unknown) => ({ HostIp: '', HostPort: '', ...(each as Json | null) })
  const shown = Object.entries(asked).map(([port, list]) => [port, Array.isArray(list) ? list.map(whole) : list])
  return { PortBindings: Object.fromEntries(shown) as Json }
}

function part(of: Json | null, name: string): Json {
  const value = of?.[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function listOf(value: unknown): string[] | null {
  return Array.isArray(value) ? value.map(String) : null
}
