import { type Assignment, type EngineContainer, type EngineState, type Tuning, tuningText } from '@gantry/model'
import type { ContainerInspect } from '../engine/engine-types.ts'
import { labels } from './labels.ts'

const bytesPerMib = 1024 * 1024
/** How the engine writes "never". */
const never = '0001-01-01T00:00:00Z'

/** An engine's inspect answer in our words; `nics` are the ports that it is plugged into. Pure. */
export function engineContainerFrom(inspect: ContainerInspect, nics: readonly string[]): EngineContainer {
  const { State, Config, HostConfig } = inspect
  const state = stateOf(State.Status)
  const ended = state === 'exited' || state === 'dead' || state === 'restarting'
  return {
    engineId: inspect.Id,
    generation: Number(Config.Labels?.[labels.generation] ?? 0),
    state,
    startedAt: State.StartedAt === never ? null : State.StartedAt,
    finishedAt: State.FinishedAt === never ? null : State.FinishedAt,
    exitCode: ended || State.ExitCode !== 0 ? State.ExitCode : null,
    oomKilled: State.OOMKilled,
    error: shortened(State.Error),
    health: healthOf(State.Health?.Status),
    restartCount: inspect.RestartCount ?? 0,
    nics: [...nics],
    cpu: coresOf(HostConfig),
    memory: Math.round(HostConfig.Memory / bytesPerMib),
    ...tuningIn(HostConfig),
    command: firstOf(Config.Cmd ?? []),
    entrypoint: firstOf(Config.Entrypoint ?? []),
    workdir: shortened(Config.WorkingDir),
    hostname: shortened(Config.Hostname),
    ports: firstOf(Object.keys(Config.ExposedPorts ?? {})),
    imageDigest: inspect.Image,
  }
}

/** What a container that was created a moment ago looks like, as far as the next decision needs it. */
export function justCreated({ spec, wish }: Assignment, engineId: string, nics: readonly string[]): EngineContainer {
  return {
    engineId,
    generation: wish.generation,
    state: 'created',
    startedAt: null,
    finishedAt: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    health: null,
    restartCount: 0,
    nics: [...nics],
    cpu: spec.cpu,
    memory: spec.memory,
    command: firstOf(spec.command ?? []),
    entrypoint: firstOf(spec.entrypoint ?? []),
    workdir: shortened(spec.workdir ?? ''),
    hostname: spec.hostname ?? '',
    ports: firstOf(spec.exposedPorts),
    imageDigest: '',
  }
}

/** Characters of a list that are told. */
const mostTold = 32_768
const longestTold = 4096

/**
 * As much of a list as is fit to be shown. Users and the makers of images decide how long it is, and one report that is too
 * long for the relay would end the session of the whole host.
 */
function firstOf(all: readonly string[]): string[] {
  let left = mostTold
  const cut = all.findIndex((text) => (left -= text.length + 8) < 0)
  return cut < 0 ? [...all] : [...all.slice(0, cut), '…']
}

function shortened(text: string): string {
  return text.length <= longestTold ? text : `${text.slice(0, longestTold)}…`
}

function stateOf(status: string): EngineState {
  switch (status) {
    case 'created':
    case 'running':
    case 'paused':
    case 'restarting':
    case 'exited':
    case 'removing':
    case 'dead':
      return status
    // Podman's own words.
    case 'configured':
    case 'initialized':
      return 'created'
    case 'stopping':
      return 'running'
    default:
      return 'exited'
  }
}

function healthOf(status: string | undefined): EngineContainer['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null
}

function tuningIn(host: ContainerInspect['HostConfig']): Pick<EngineContainer, 'tuning'> {
  const { RestartPolicy, PidsLimit, CpuShares = 0, MemoryReservation = 0 } = host
  if (!RestartPolicy) return {}
  const name = (RestartPolicy.Name || 'no') as Tuning['restart']['name']
  const restart = { name, maxRetries: RestartPolicy.MaximumRetryCount }
  return {
    tuning: tuningText({ restart, pids: PidsLimit ?? 0, cpuShares: CpuShares, memoryReservation: MemoryReservation }),
  }
}

function coresOf({ NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0 }: ContainerInspect['HostConfig']): number {
  if (NanoCpus > 0) return NanoCpus / 1e9
  // Podman keeps a cap as quota and period.
  return CpuQuota > 0 && CpuPeriod > 0 ? CpuQuota / CpuPeriod : 0
}
