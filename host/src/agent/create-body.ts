import { type Assignment, type ContainerSpec, sandboxImage } from '@gantry/model'
import type { BindMount, CreateBody, EndpointConfig, Limits } from '../engine/engine-types.ts'
import type { Bind } from '../volumes/host-volumes.ts'
import { engineName, labelsOf } from './labels.ts'

const bytesPerMib = 1024 * 1024
const nanoPerSecond = 1_000_000_000
/** Enough for any service, and it stops a fork bomb. */
const pidsLimit = 4096

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
  return {
    Image: assignment.imageRef,
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
    ...(spec.workdir !== null && { WorkingDir: spec.workdir }),
    // Both belong to the sandbox in a capsule, and engines refuse them elsewhere.
    ...(spec.hostname !== null && sandbox === null && { Hostname: spec.hostname }),
    ...(spec.healthcheck && { Healthcheck: healthcheckOf(spec.healthcheck) }),
    ...(spec.exposedPorts.length > 0 &&
      sandbox === null && { ExposedPorts: Object.fromEntries(spec.exposedPorts.map((p) => [p, {}])) }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...usersLabels(spec.labels), ...labelsOf(assignment, deployment) },
    Tty: spec.tty,
    OpenStdin: spec.interactive,
    StdinOnce: spec.stdinOnce === true,
    HostConfig: {
      ...limitsOf(spec),
      PidsLimit: pidsLimit,
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
    },
    NetworkingConfig: { EndpointsConfig: around.endpoints },
  }
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
