import { type Control, volumeDrivers } from '@gantry/control'
import type { Caller } from '@gantry/model'
import { engineVersion } from './versions.ts'
import { everyContainer } from './every-container.ts'

const bytesPerMib = 1024 * 1024

/** One engine for the project: its own containers and images, its quota as the machine. */
export async function infoOf(control: Control, caller: Caller, now: number): Promise<object> {
  const [containers, images, { limits }] = await Promise.all([
    everyContainer(control, caller),
    control.images.list(caller),
    control.quotas.get(caller, caller.projectId),
  ])
  const count = (...statuses: string[]) => containers.filter(({ status }) => statuses.includes(status)).length
  const running = count('Running', 'Restarting')
  const paused = count('Paused')
  return {
    ID: caller.projectId,
    Name: caller.projectName,
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
    Images: new Set(images.map(({ imageId }) => imageId)).size,
    Driver: 'overlay2',
    DriverStatus: [],
    Plugins: { Volume: [...volumeDrivers], Network: ['bridge', 'null'], Authorization: null, Log: ['json-file'] },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: false,
    PidsLimit: true,
    IPv4Forwarding: true,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: false,
    OomKillDisable: false,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: 0,
    SystemTime: new Date(now).toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: '1',
    KernelVersion: '',
    OperatingSystem: 'Gantry',
    OSVersion: '',
    OSType: 'linux',
    Architecture: process.arch === 'x64' ? 'x86_64' : process.arch,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: { InsecureRegistryCIDRs: [], IndexConfigs: {}, Mirrors: [] },
    // A quota of -1 is none, and a client that divides by these must not meet it.
    NCPU: limits.cpu > 0 ? Math.ceil(limits.cpu) : 1024,
    MemTotal: limits.memory > 0 ? limits.memory * bytesPerMib : 2 ** 50,
    DockerRootDir: '/var/lib/docker',
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Labels: [`gantry.project=${caller.projectName}`],
    ExperimentalBuild: false,
    ServerVersion: engineVersion,
    Runtimes: { runc: { path: 'runc' } },
    DefaultRuntime: 'runc',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'docker-init',
    SecurityOptions: ['name=seccomp,profile=default', 'name=no-new-privileges'],
    Warnings: null,
  }
}
