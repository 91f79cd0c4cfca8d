import { capAddCheck, capDropCheck } from './capabilities.ts'
import {
  allowed,
  type Check,
  confined,
  type FieldRule,
  type FieldRules,
  fieldsOf,
  ignored,
  invalid,
  refused,
  refusedBy,
  textOf,
} from './field-rule.ts'
import {
  extraHostsCheck,
  logConfigCheck,
  oomScoreCheck,
  securityOptCheck,
  shmSizeCheck,
  swappinessCheck,
  sysctlsCheck,
  ulimitsCheck,
} from './limit-checks.ts'
import { bindsCheck, mountsCheck, tmpfsCheck } from './mount-checks.ts'
import { driverCheck, volumeDriverWhy } from './volume-drivers.ts'

const windows = 'It is of Windows only'
const device = "Devices are the host's: a raw disk holds every tenant's data"
const pace = 'It shares out the disks of the host among its tenants'
const realtime = 'Processes in real time would stop the others of the host'

/** A namespace: its own, unless the host's or another container's is asked for. */
function namespaceRule(field: string, why: string, own: readonly string[]): FieldRule {
  const check: Check = (value) => {
    const mode = textOf(field, value)
    if (own.includes(mode.toLowerCase())) return []
    const kind = mode.toLowerCase() === 'host' ? 'host' : /^container:/i.test(mode) ? 'container:' : null
    if (kind === null && field === 'NetworkMode') return []
    if (kind === null) throw invalid(`${field} ${JSON.stringify(mode.slice(0, 80))} is not valid.`)
    if (kind === 'host')
      return [
        {
          field: `${field} host`,
          reason: "it is the host's own",
          lifts: field === 'NetworkMode' ? [] : [field, `${field}:host`],
        },
      ]
    return [
      {
        field: `${field} ${mode.slice(0, 80)}`,
        reason: 'a container has no part of another; a capsule has',
        lifts: [],
      },
    ]
  }
  const rule = refusedBy(why, check, field === 'NetworkMode' ? [] : [field, `${field}:host`])
  return own.includes('none') ? { ...rule, verdict: 'confined' } : rule
}

/** What is masked in /proc and /sys. Engines that know more mask more. */
const masked: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
]
const readOnly: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Programs that make a container anew from what inspect says send the usual list. */
function maskRule(field: string, usual: readonly string[]): FieldRule {
  const why = 'A shorter list than the usual one, an empty one too, uncovers files of the kernel'
  const check: Check = (value) => {
    if (Array.isArray(value) && usual.every((path) => value.includes(path))) return []
    return [{ field, reason: 'it uncovers files of the kernel', lifts: [field] }]
  }
  return { ...refusedBy(why, check, [field]), emptyCounts: true }
}

/** HostConfig of the Engine API, 1.24 to 1.44, and Resources, which `update` has too. */
export const hostConfigRules: FieldRules = {
  Annotations: refused('Annotations', 'Some runtimes take orders from them', { lifts: ['Annotations'] }),
  AutoRemove: allowed('Its record goes with it'),
  Binds: confined(
    "A volume's name is one of the project's; a folder of the host holds the engine's and other tenants' files. A grant is for exactly the folder named (`:ro`: to read), not for what is in it",
    bindsCheck,
    ['Binds', 'Binds:/FOLDER', 'Binds:/FOLDER:ro'],
  ),
  BlkioDeviceReadBps: refused('BlkioDeviceReadBps', pace, { lifts: ['BlkioDeviceReadBps'] }),
  BlkioDeviceReadIOps: refused('BlkioDeviceReadIOps', pace, { lifts: ['BlkioDeviceReadIOps'] }),
  BlkioDeviceWriteBps: refused('BlkioDeviceWriteBps', pace, { lifts: ['BlkioDeviceWriteBps'] }),
  BlkioDeviceWriteIOps: refused('BlkioDeviceWriteIOps', pace, { lifts: ['BlkioDeviceWriteIOps'] }),
  BlkioWeight: refused('BlkioWeight', pace, { lifts: ['BlkioWeight'] }),
  BlkioWeightDevice: refused('BlkioWeightDevice', pace, { lifts: ['BlkioWeightDevice'] }),
  CapAdd: confined(
    'Those that engines give anyway pass, but NET_RAW, with which one speaks in the name of others; all the rest are ways out',
    capAddCheck,
    ['CapAdd', 'CapAdd:NET_ADMIN'],
  ),
  CapDrop: confined('Any of the names that kernels know', capDropCheck),
  Cgroup: refused('Cgroup', "It joins another container's limits"),
  CgroupParent: refused('CgroupParent', 'It leaves the limits that the service keeps', { lifts: ['CgroupParent'] }),
  CgroupnsMode: namespaceRule('CgroupnsMode', "The host's shows and, with more, changes all limits", ['', 'private']),
  ConsoleSize: ignored('The size comes with the terminal'),
  ContainerIDFile: ignored('The client writes it, on its own machine'),
  CpuCount: ignored(windows),
  CpuPercent: ignored(windows),
  CpuPeriod: confined('With CpuQuota: cores, which count in the quota'),
  CpuQuota: confined('With CpuPeriod: cores, which count in the quota'),
  CpuRealtimePeriod: refused('CpuRealtimePeriod', realtime, { lifts: ['CpuRealtimePeriod'] }),
  CpuRealtimeRuntime: refused('CpuRealtimeRuntime', realtime, { lifts: ['CpuRealtimeRuntime'] }),
  CpuShares: allowed('It weighs within the hard cap of its cores'),
  Cpuset: refused('Cpuset', "It pins onto other tenants' cores"),
  CpusetCpus: refused('CpusetCpus', "It pins onto other tenants' cores", { lifts: ['CpusetCpus'] }),
  CpusetMems: refused('CpusetMems', "It pins onto other tenants' memory", { lifts: ['CpusetMems'] }),
  DeviceCgroupRules: refused('DeviceCgroupRules', device, { lifts: ['DeviceCgroupRules'] }),
  DeviceRequests: refused('DeviceRequests', device, { lifts: ['DeviceRequests'] }),
  Devices: refusedBy(device, devicesCheck(), ['Devices', 'Devices:/dev/fuse']),
  Dns: allowed('Asked from inside the container'),
  DnsOptions: allowed('They are for its own resolver'),
  DnsSearch: allowed('They are for its own resolver'),
  ExtraHosts: confined('Names in its own file; host-gateway is the host and refused', extraHostsCheck, [
    'ExtraHosts:host-gateway',
  ]),
  GroupAdd: allowed('Groups of its own files'),
  IOMaximumBandwidth: ignored(windows),
  IOMaximumIOps: ignored(windows),
  Init: allowed("The engine's small first process"),
  IpcMode: namespaceRule('IpcMode', "Its own; the host's, or another container's, is theirs to read", [
    '',
    'none',
    'private',
    'shareable',
  ]),
  Isolation: refused('Isolation', windows, { harmless: ['default', 'Default'] }),
  KernelMemory: refused('KernelMemory', 'Kernels have given it up, and counted wrong with it', {
    lifts: ['KernelMemory'],
    harmless: [-1],
  }),
  KernelMemoryTCP: refused('KernelMemoryTCP', 'Kernels have given it up', {
    lifts: ['KernelMemoryTCP'],
    harmless: [-1],
  }),
  Links: confined("Containers of the project's"),
  LogConfig: confined('The service keeps the logs: json-file or local, with bounded sizes', logConfigCheck),
  LxcConf: refused('LxcConf', 'It is raw configuration of a runtime'),
  MaskedPaths: maskRule('MaskedPaths', masked),
  Memory: confined('It counts in the quota and is a hard cap'),
  MemoryReservation: allowed('A soft limit below the cap'),
  MemorySwap: ignored('There is no swap: the memory is the limit'),
  MemorySwappiness: refusedBy('There is no swap here', swappinessCheck, ['MemorySwappiness']),
  Mounts: confined(
    "Volumes of the project's and tmpfs up to 1 GiB pass; folders of the host as in Binds; drivers and their options as in the body of a volume create, shared propagation and other types never",
    mountsCheck,
    ['Binds', 'Binds:/FOLDER', 'Binds:/FOLDER:ro'],
  ),
  NanoCpus: confined('Cores, which count in the quota'),
  NetworkMode: namespaceRule(
    'NetworkMode',
    "A network of the project's, or none. The host's reaches its services and its neighbours; another container's is a capsule's to share",
    ['', 'default', 'bridge', 'none'],
  ),
  OomKillDisable: refused('OomKillDisable', 'It can hang the host when memory ends', { lifts: ['OomKillDisable'] }),
  OomScoreAdj: confined('From 0: below that, other tenants are ended first', oomScoreCheck, ['OomScoreAdj']),
  PidMode: namespaceRule('PidMode', "The host's shows and ends the processes of all tenants", ['', 'private']),
  PidsLimit: confined('At most 4096, which is also what one has that says nothing'),
  PortBindings: confined("They are ports of the project's public address, never of the host"),
  Privileged: refused('Privileged', 'All devices and capabilities: it is root on the host', { lifts: ['Privileged'] }),
  PublishAllPorts: confined("They are ports of the project's public address"),
  ReadonlyPaths: maskRule('ReadonlyPaths', readOnly),
  ReadonlyRootfs: allowed('It only narrows'),
  RestartPolicy: allowed('The engine carries it out, the service knows'),
  Runtime: refused(
    'Runtime',
    'Another undoes what the tenants are kept apart by; runc stands for the usual one of the host',
    { lifts: ['Runtime'], harmless: ['runc'] },
  ),
  SecurityOpt: confined(
    'no-new-privileges is always on; the others (seccomp, apparmor, label, systempaths) take confinement off',
    securityOptCheck,
    ['SecurityOpt', 'SecurityOpt:seccomp', 'SecurityOpt:no-new-privileges:false'],
  ),
  ShmSize: confined('At most 1 GiB and its memory', shmSizeCheck, ['ShmSize']),
  StorageOpt: refused('StorageOpt', 'They are orders to the storage driver of the host', { lifts: ['StorageOpt'] }),
  Sysctls: confined(
    "net.*, fs.mqueue.* and the settings of System V IPC: those that are the container's own",
    sysctlsCheck,
    ['Sysctls', 'Sysctls:NAME'],
  ),
  Tmpfs: confined('At most 1 GiB each; not over /proc, /sys or /dev', tmpfsCheck, ['Tmpfs']),
  UTSMode: namespaceRule('UTSMode', "The host's lets one rename it", ['', 'private']),
  Ulimits: confined(
    'nofile to 1048576, memlock to 64 MiB, no nice and rtprio; the rest within its cgroup',
    ulimitsCheck,
    ['Ulimits', 'Ulimits:memlock'],
  ),
  UsernsMode: namespaceRule('UsernsMode', "Root of the container would be root of the host's files", ['', 'private']),
  VolumeDriver: confined(volumeDriverWhy, driverCheck('VolumeDriver')),
  VolumesFrom: refused('VolumesFrom', 'A volume is in use by name: mount it in both'),
}

function devicesCheck(): Check {
  return (value) => {
    if (!Array.isArray(value)) throw invalid('Devices must be a list.')
    return value.map((part: unknown) => {
      const path = devicePath(part)
      return {
        field: `Devices ${path}`,
        reason: 'it is a device of the host',
        lifts: ['Devices', `Devices:${path}`],
        part,
      }
    })
  }
}

function devicePath(part: unknown): string {
  const names = ['PathOnHost', 'PathInContainer', 'CgroupPermissions']
  return textOf('Devices PathOnHost', fieldsOf('Devices', names, part)['PathOnHost'])
}
