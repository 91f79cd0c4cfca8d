/** The parts of the Docker Engine API (1.41 to 1.44, and Podman's compatible one) that we read and write. */

export interface CreateBody {
  readonly Image: string
  readonly Cmd?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Env: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly Hostname?: string
  readonly Domainname?: string
  readonly User?: string
  readonly StopSignal?: string
  /** Seconds. */
  readonly StopTimeout?: number
  readonly WorkingDir?: string
  readonly Tty: boolean
  readonly OpenStdin: boolean
  readonly StdinOnce: boolean
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Healthcheck?: {
    readonly Test: readonly string[]
    /** Nanoseconds; 0 is the engine's default. */
    readonly Interval: number
    readonly Timeout: number
    readonly StartPeriod?: number
    readonly StartInterval?: number
    readonly Retries: number
  }
  readonly HostConfig: HostConfig
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, EndpointConfig>> }
}

export interface EndpointConfig {
  /** Names that the others of the network find it by. */
  readonly Aliases?: readonly string[]
  /** `container:alias`: names that it finds others by. */
  readonly Links?: readonly string[]
  /** For the driver of the network. */
  readonly DriverOpts?: Readonly<Record<string, string>>
}

export interface Limits {
  readonly NanoCpus: number
  /** Bytes. */
  readonly Memory: number
  /** Bytes, memory included. */
  readonly MemorySwap: number
}

/** What an update may change beside the limits. */
export interface TuningBody {
  readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number }
  readonly PidsLimit: number
  readonly CpuShares?: number
  /** Bytes. */
  readonly MemoryReservation?: number
}

export interface HostConfig extends Limits {
  readonly PidsLimit: number
  readonly NetworkMode: string
  readonly Privileged: boolean
  readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number }
  readonly Runtime?: string
  readonly IpcMode?: string
  readonly Dns?: readonly string[]
  readonly DnsSearch?: readonly string[]
  readonly DnsOptions?: readonly string[]
  readonly Mounts?: readonly BindMount[]
  readonly GroupAdd?: readonly string[]
  readonly Init?: boolean
  readonly ReadonlyRootfs?: boolean
  readonly Tmpfs?: Readonly<Record<string, string>>
  /** Bytes. */
  readonly ShmSize?: number
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
  readonly Sysctls?: Readonly<Record<string, string>>
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly SecurityOpt?: readonly string[]
  readonly CgroupnsMode?: string
  readonly ExtraHosts?: readonly string[]
  readonly CpuShares?: number
  /** Bytes. */
  readonly MemoryReservation?: number
  readonly OomScoreAdj?: number
  readonly LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> }
}

/** Unlike one in `Binds`, a source that is missing is refused and not made. */
export interface BindMount {
  readonly Type: 'bind'
  readonly Source: string
  readonly Target: string
  readonly ReadOnly: boolean
}

export interface ContainerInspect {
  readonly Id: string
  readonly Name: string
  readonly Image: string
  readonly RestartCount?: number
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Paused: boolean
    readonly OOMKilled: boolean
    readonly Pid: number
    readonly ExitCode: number
    readonly Error: string
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Health?: { readonly Status: string } | null
  }
  readonly Config: {
    readonly Hostname: string
    readonly Tty: boolean
    readonly OpenStdin?: boolean
    readonly StdinOnce?: boolean
    readonly Cmd?: readonly string[] | null
    readonly Entrypoint?: readonly string[] | null
    readonly WorkingDir: string
    readonly Labels?: Readonly<Record<string, string>> | null
    readonly ExposedPorts?: Readonly<Record<string, object>> | null
  }
  readonly HostConfig: {
    readonly NanoCpus?: number
    readonly CpuQuota?: number
    readonly CpuPeriod?: number
    readonly Memory: number
    /** Absent where an update could not change it. */
    readonly RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount: number }
    readonly PidsLimit?: number | null
    readonly CpuShares?: number
    /** Bytes. */
    readonly MemoryReservation?: number
  }
  readonly NetworkSettings: {
    readonly Networks?: Readonly<
      Record<string, { readonly EndpointID?: string; readonly DriverOpts?: Readonly<Record<string, string>> | null }>
    > | null
  }
}

export interface ContainerSummary {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly State: string
}

export interface ContainerTop {
  readonly Titles: readonly string[]
  readonly Processes: readonly (readonly string[])[] | null
}

interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number; readonly percpu_usage?: readonly number[] | null }
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
}

export interface ContainerStats {
  readonly cpu_stats: CpuStats
  readonly precpu_stats: CpuStats
  readonly memory_stats: {
    readonly usage?: number
    readonly limit?: number
    readonly stats?: Readonly<Record<string, number>>
  }
  readonly blkio_stats: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null
  }
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>
  readonly pids_stats?: { readonly current?: number }
}

export interface ExecCreate {
  readonly Cmd: readonly string[]
  readonly Env: readonly string[]
  readonly WorkingDir?: string
  readonly User?: string
  readonly Tty: boolean
  readonly AttachStdin: boolean
  readonly AttachStdout: true
  readonly AttachStderr: true
}

export interface ExecInspect {
  readonly ID: string
  readonly Running: boolean
  readonly ExitCode: number | null
  /** In the process namespace of the engine; 0 before it runs. */
  readonly Pid: number
  readonly ContainerID: string
}

export interface ImageSummary {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  readonly Size: number
}

export interface ImageInspect {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  readonly Size: number
  readonly RootFS?: { readonly Layers?: readonly string[] | null }
}

export interface NetworkInfo {
  readonly Id: string
  readonly Name: string
  readonly Driver: string
  readonly Labels: Readonly<Record<string, string>> | null
}

export interface EngineInfo {
  readonly ServerVersion: string
  readonly DockerRootDir: string
  readonly NCPU: number
  /** Bytes. */
  readonly MemTotal: number
  readonly Architecture: string
  readonly OSType: string
  readonly OperatingSystem: string
  readonly KernelVersion: string
  readonly Runtimes?: Readonly<Record<string, unknown>> | null
}

export interface EngineVersion {
  readonly Version: string
  readonly ApiVersion: string
  readonly Components?: readonly { readonly Name: string }[] | null
}

export interface EngineEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly timeNano: number
}
