import { type Assignment, type ContainerSpec, isConfined, sandboxImage, tuned } from '@gantry/model'
import type { BindMount, CreateBody, EndpointConfig, HostConfig, Limits } from '../engine/engine-types.ts'
import type { Bind } from '../volumes/host-volumes.ts'
import { configOf, confined } from './confinement.ts'
import { engineName, labelsOf } from './labels.ts'

const bytesPerMib = 1024 * 1024
const nanoPerSecond = 1_000_000_000

/** What was made ready for a container on its host. */
export interface Surroundings {
  /** The engine's name of its network mode. */
  readonly mode: string
  readonly endpoints: Readonly<Record<string, EndpointConfig>>
  readonly dns: readonly string[]
  readonly binds: readonly Bind[]
}

/** The network mode of a container in a capsule. */
export function sharedMode(sandbox: string): string {
  return `container:${engineName(sandbox)}`
}

/** What the engine is asked to create for `assignment`. Pure. */
export function createBody(assignment: Assignment, deployment: string, around: Surroundings): CreateBody {
  const { spec, sandbox } = assignment
  const { options } = spec
  const hostConfig = hostConfigOf(assignment, around)
  return {
    Image: assignment.imageRef,
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
    ...(spec.workdir !== null && { WorkingDir: spec.workdir }),
    // Both belong to the sandbox in a capsule, and engines refuse them elsewhere.
    ...(sandbox === null && options?.granted?.['UTSMode'] === undefined && { Hostname: hostnameOf(assignment) }),
    ...(spec.healthcheck && { Healthcheck: healthcheckOf(spec.healthcheck) }),
    ...(spec.exposedPorts.length > 0 &&
      sandbox === null && { ExposedPorts: Object.fromEntries(spec.exposedPorts.map((p) => [p, {}])) }),
    ...(options && configOf(options)),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...usersLabels(spec.labels), ...labelsOf(assignment, deployment) },
    Tty: spec.tty,
    OpenStdin: spec.interactive,
    StdinOnce: spec.stdinOnce === true,
    HostConfig: isConfined(options) ? confined(hostConfig, options) : hostConfig,
    NetworkingConfig: { EndpointsConfig: around.endpoints },
  }
}

function hostConfigOf(assignment: Assignment, around: Surroundings): HostConfig {
  const { spec } = assignment
  return {
    ...limitsOf(spec),
    PidsLimit: tuned(spec).pids,
    NetworkMode: around.mode,
    ...ipcOf(assignment),
    ...(around.dns.length > 0 && { Dns: around.dns }),
    ...(around.binds.length > 0 && { Mounts: around.binds.map(mountOf) }),
    Privileged: spec.privileged,
    RestartPolicy: {
      Name: spec.restartPolicy.name,
      MaximumRetryCount: spec.restartPolicy.name === 'on-failure' ? spec.restartPolicy.maxRetries : 0,
    },
    ...(spec.runtime !== null && { Runtime: spec.runtime }),
  }
}

/** The user's, or the beginning of the id that users know; the engine would take its own id's, which nobody knows. */
function hostnameOf({ id, spec }: Assignment): string {
  return spec.hostname ?? id.replaceAll('-', '').slice(0, 12)
}

/** All devices and capabilities, by whichever façade. */
export function isPrivileged({ privileged, options }: ContainerSpec): boolean {
  return privileged || options?.granted?.['Privileged'] === true
}

/** Containers of a capsule share memory and semaphores with its sandbox, which must allow it. */
function ipcOf({ imageRef, sandbox }: Assignment): { IpcMode?: string } {
  if (sandbox !== null) return { IpcMode: sharedMode(sandbox) }
  return imageRef === sandboxImage ? { IpcMode: 'shareable' } : {}
}

function mountOf({ source, destination, readOnly }: Bind): BindMount {
  return { Type: 'bind', Source: source, Target: destination, ReadOnly: readOnly }
}

/** Cores and MiB as the engine counts them. No swap beside the memory: a limit is a limit. */
export function limitsOf({ cpu, memory }: Pick<ContainerSpec, 'cpu' | 'memory'>): Limits {
  const bytes = memory * bytesPerMib
  return { NanoCpus: Math.round(cpu * nanoPerSecond), Memory: bytes, MemorySwap: bytes }
}

function healthcheckOf(check: NonNullable<ContainerSpec['healthcheck']>): NonNullable<CreateBody['Healthcheck']> {
  return {
    Test: ['CMD-SHELL', check.command],
    Interval: check.intervalSeconds * nanoPerSecond,
    Timeout: check.timeoutSeconds * nanoPerSecond,
    Retries: check.retries,
  }
}

/** A user's label must never pass for one of ours. */
function usersLabels(all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('gantry.')))
}
