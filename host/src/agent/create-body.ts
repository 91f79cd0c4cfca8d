import type { Assignment, ContainerSpec } from '@gantry/model'
import type { CreateBody, Limits } from '../engine/engine-types.ts'
import { labelsOf } from './labels.ts'

const bytesPerMib = 1024 * 1024
const nanoPerSecond = 1_000_000_000
/** Enough for any service, and it stops a fork bomb. */
const pidsLimit = 4096

/** What the engine is asked to create for `assignment`, on the engine's network `network`. Pure. */
export function createBody(assignment: Assignment, deployment: string, network: string): CreateBody {
  const { spec } = assignment
  return {
    Image: assignment.imageRef,
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
    ...(spec.workdir !== null && { WorkingDir: spec.workdir }),
    ...(spec.hostname !== null && { Hostname: spec.hostname }),
    ...(spec.healthcheck && { Healthcheck: healthcheckOf(spec.healthcheck) }),
    ...(spec.exposedPorts.length > 0 && { ExposedPorts: Object.fromEntries(spec.exposedPorts.map((p) => [p, {}])) }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...usersLabels(spec.labels), ...labelsOf(assignment, deployment) },
    Tty: spec.tty,
    OpenStdin: spec.interactive,
    HostConfig: {
      ...limitsOf(spec),
      PidsLimit: pidsLimit,
      NetworkMode: network,
      Privileged: spec.privileged,
      RestartPolicy: {
        Name: spec.restartPolicy.name,
        MaximumRetryCount: spec.restartPolicy.name === 'on-failure' ? spec.restartPolicy.maxRetries : 0,
      },
      ...(spec.runtime !== null && { Runtime: spec.runtime }),
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [assignment.name] } } },
  }
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
