/** What no tenant may have: by name of the field, the part of a request that asks for it. */
export interface Danger {
  /** What the answer's message must name. */
  readonly field: string
  readonly body: Readonly<Record<string, unknown>>
}

const host = (field: string, value: unknown, told = field): Danger => ({
  field: told,
  body: { Image: 'busybox', HostConfig: { [field]: value } },
})
const beside = (field: string, value: unknown, told: string): Danger => ({
  field: told,
  body: { Image: 'busybox', [field]: value },
})
const mount = (mounted: Record<string, unknown>): Danger => host('Mounts', [mounted])
const capability = (name: string): Danger => host('CapAdd', [name], 'CapAdd')
const sysctl = (name: string): Danger => host('Sysctls', { [name]: '1' })

export const createDangers: readonly Danger[] = [
  host('Privileged', true),
  host('privileged', true, 'Privileged'),
  host('PRIVILEGED', true, 'Privileged'),
  host('Privileged', 'true'),
  beside('hostconfig', { privileged: true }, 'Privileged'),
  beside('HOSTCONFIG', { pRiViLeGeD: 1 }, 'Privileged'),
  beside('Privileged', true, 'Privileged'),
  beside('binds', ['/:/host'], 'Binds'),
  host('Binds', ['/:/host']),
  host('Binds', ['/:/host:ro']),
  host('Binds', ['/var/run/docker.sock:/var/run/docker.sock']),
  host('Binds', ['//etc/../:/host']),
  host('Binds', ['./x:/host']),
  host('Binds', ['data/../../etc:/host']),
  host('binds', ['good:/good', '/etc:/host'], 'Binds'),
  host('Binds', ['good:/good:rshared']),
  host('Binds', ['good:/proc']),
  host('Binds', ['good:/sys/fs/cgroup']),
  beside('Volumes', { '/proc/sys': {} }, 'Volumes'),
  mount({ Type: 'bind', Source: '/', Target: '/host' }),
  mount({ type: 'bind', source: '/', target: '/host' }),
  mount({ Type: 'BIND', Source: '/', Target: '/host' }),
  mount({ Type: 'volume', Source: '/etc', Target: '/host' }),
  mount({
    Type: 'volume',
    Source: 'v',
    Target: '/host',
    VolumeOptions: { DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } } },
  }),
  mount({
    Type: 'volume',
    Source: 'v',
    Target: '/h',
    volumeoptions: { driverconfig: { options: { device: '/dev/sda1' } } },
  }),
  mount({ Type: 'npipe', Source: '//./pipe/docker_engine', Target: '/host' }),
  mount({ Type: 'image', Source: 'busybox', Target: '/host' }),
  mount({ Type: 'cluster', Source: 'v', Target: '/host' }),
  mount({ Type: 'bind', Source: '/srv', Target: '/host', BindOptions: { Propagation: 'rshared' } }),
  mount({ Type: 'tmpfs', Target: '/proc' }),
  host('VolumesFrom', ['other']),
  host('VolumeDriver', 'nfs'),
  host('NetworkMode', 'host'),
  host('networkmode', 'HOST', 'NetworkMode'),
  host('NetworkMode', 'container:other'),
  beside('NetworkingConfig', { EndpointsConfig: { host: {} } }, 'NetworkMode'),
  beside('NetworkingConfig', { endpointsconfig: { bridge: { DriverOpts: { a: 'b' } } } }, 'DriverOpts'),
  beside(
    'NetworkingConfig',
    { EndpointsConfig: { bridge: { IPAMConfig: { LinkLocalIPs: ['169.254.169.254'] } } } },
    'IPAMConfig',
  ),
  host('PidMode', 'host'),
  host('PidMode', 'container:other'),
  host('IpcMode', 'host'),
  host('IpcMode', 'container:other'),
  host('UTSMode', 'host'),
  host('UsernsMode', 'host'),
  host('CgroupnsMode', 'host'),
  ...[
    'NET_ADMIN',
    'CAP_SYS_ADMIN',
    'sys_module',
    'cap_sys_ptrace',
    'SYS_RAWIO',
    'DAC_READ_SEARCH',
    'BPF',
    'ALL',
    'NET_RAW',
  ].map(capability),
  ...['seccomp=unconfined', 'seccomp:unconfined', 'apparmor=unconfined', 'label=disable', 'systempaths=unconfined'].map(
    (option) => host('SecurityOpt', [option]),
  ),
  host('SecurityOpt', ['no-new-privileges:false']),
  host('MaskedPaths', []),
  host('ReadonlyPaths', []),
  host('MaskedPaths', ['/proc/kcore']),
  host('Devices', [{ PathOnHost: '/dev/mem', PathInContainer: '/dev/mem', CgroupPermissions: 'rwm' }]),
  host('DeviceRequests', [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }]),
  host('DeviceCgroupRules', ['a *:* rwm']),
  host('CgroupParent', '/'),
  host('Cgroup', 'container:other'),
  host('Runtime', 'crun'),
  ...['kernel.core_pattern', 'kernel.panic', 'vm.overcommit_memory', 'fs.file-max', 'net.ipv4/../../kernel.panic'].map(
    sysctl,
  ),
  host('Ulimits', [{ Name: 'nofile', Soft: 10_000_000, Hard: 10_000_000 }]),
  host('Ulimits', [{ Name: 'memlock', Soft: -1, Hard: -1 }]),
  host('Ulimits', [{ Name: 'rtprio', Soft: 99, Hard: 99 }]),
  host('ShmSize', 64 * 1024 ** 3),
  host('Tmpfs', { '/t': 'size=64g' }),
  host('Tmpfs', { '/t': 'size=90%' }),
  host('Tmpfs', { '/dev': '' }),
  host('OomKillDisable', true),
  host('OomScoreAdj', -1000),
  host('MemorySwappiness', 100),
  host('KernelMemory', 1 << 26),
  host('CpuRealtimePeriod', 1_000_000),
  host('CpuRealtimeRuntime', 950_000),
  host('CpusetCpus', '0'),
  host('CpusetMems', '0'),
  host('BlkioWeight', 1000),
  host('BlkioWeightDevice', [{ Path: '/dev/sda', Weight: 1000 }]),
  host('BlkioDeviceReadBps', [{ Path: '/dev/sda', Rate: 1 }]),
  host('StorageOpt', { size: '100G' }),
  host('Annotations', { 'io.katacontainers.config.hypervisor.path': '/x' }),
  host('ExtraHosts', ['node:host-gateway']),
  host('LogConfig', { Type: 'syslog', Config: { 'syslog-address': 'tcp://169.254.169.254:80' } }),
  host('logconfig', { type: 'fluentd' }, 'LogConfig'),
  host('LogConfig', { Type: 'json-file', Config: { 'max-size': '900g' } }),
  host('LogConfig', { Type: '', Config: { tag: '{{printf "%1000000000d" 1}}' } }),
  host('Isolation', 'hyperv'),
  host('SomethingNew', { any: 'thing' }),
]

export const updateDangers: readonly Danger[] = [
  { field: 'CpusetCpus', body: { CpusetCpus: '0' } },
  { field: 'CpusetMems', body: { cpusetmems: '0' } },
  { field: 'BlkioWeight', body: { BlkioWeight: 10 } },
  { field: 'OomKillDisable', body: { OomKillDisable: true } },
  { field: 'KernelMemory', body: { KernelMemory: 1 << 26 } },
  { field: 'CpuRealtimeRuntime', body: { CpuRealtimeRuntime: 1 } },
  { field: 'Devices', body: { Devices: [{ PathOnHost: '/dev/mem' }] } },
  { field: 'DeviceCgroupRules', body: { devicecgrouprules: ['a *:* rwm'] } },
  { field: 'CgroupParent', body: { CgroupParent: '/' } },
  { field: 'Privileged', body: { Privileged: true } },
  { field: 'Ulimits', body: { Ulimits: [{ Name: 'nofile', Soft: 1e7, Hard: 1e7 }] } },
]

export const execDangers: readonly Danger[] = [
  { field: 'Privileged', body: { Cmd: ['id'], Privileged: true } },
  { field: 'Privileged', body: { Cmd: ['id'], privileged: true } },
  { field: 'Privileged', body: { cmd: ['id'], PRIVILEGED: true } },
]

export const networkDangers: readonly Danger[] = [
  { field: 'Driver', body: { Name: 'x', Driver: 'macvlan', Options: { parent: 'eth0' } } },
  { field: 'Driver', body: { Name: 'x', driver: 'ipvlan' } },
  { field: 'Driver', body: { Name: 'x', Driver: 'host' } },
  { field: 'Driver', body: { Name: 'x', Driver: 'overlay' } },
  { field: 'Options', body: { Name: 'x', Options: { 'com.docker.network.bridge.name': 'docker0' } } },
  { field: 'ConfigFrom', body: { Name: 'x', ConfigFrom: { Network: 'y' } } },
  { field: 'ConfigOnly', body: { Name: 'x', ConfigOnly: true } },
  { field: 'Ingress', body: { Name: 'x', ingress: true } },
  { field: 'Scope', body: { Name: 'x', Scope: 'swarm' } },
  { field: 'IPAM', body: { Name: 'x', IPAM: { Driver: 'dhcp' } } },
  { field: 'IPAM', body: { Name: 'x', ipam: { options: { a: 'b' } } } },
]

export const volumeDangers: readonly Danger[] = [
  { field: 'DriverOpts', body: { Name: 'x', DriverOpts: { type: 'none', o: 'bind', device: '/' } } },
  { field: 'DriverOpts', body: { Name: 'x', driveropts: { device: '/dev/sda1' } } },
  { field: 'Driver', body: { Name: 'x', Driver: 'nfs' } },
  { field: 'Driver', body: { Name: 'x', DRIVER: 'rexray' } },
  { field: 'ClusterVolumeSpec', body: { Name: 'x', ClusterVolumeSpec: { Group: 'g' } } },
]

/** By field: the query of a build. */
export const buildDangers: Readonly<Record<string, string>> = {
  networkmode: 'networkmode=host',
  remote: 'remote=http://169.254.169.254/latest/meta-data',
  cgroupparent: 'cgroupparent=/',
  SecurityOpt: 'securityopt=["seccomp=unconfined"]',
  ExtraHosts: 'extrahosts=h:host-gateway',
  version: 'version=2',
  outputs: 'outputs=[{"Type":"local","Attrs":{"dest":"/"}}]',
  cpusetcpus: 'cpusetcpus=0',
  Ulimits: 'ulimits=[{"Name":"nofile","Hard":10000000,"Soft":10000000}]',
}
