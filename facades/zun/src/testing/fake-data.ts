import { Readable } from 'node:stream'
import type { NewContainer } from '@gantry/control'
import type { Verifier } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import {
  type Caller,
  type Container,
  type ContainerId,
  dockerImage,
  type EngineContainer,
  type Host,
  type HostId,
  type Image,
  type ImageId,
  type Nic,
  type ProjectId,
  type UserId,
} from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'

export const fakeNow = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

/** Callers by token: `demo` and `other` are users of two projects, `admin` an administrator. */
export const fakeVerifier: Verifier = {
  verify: async (token, requestId) => {
    if (!['demo', 'other', 'admin'].includes(token)) throw new Fault('auth.required', { reason: 'this one is unknown' })
    const projectId = (token === 'other' ? 'project-other' : 'project-demo') as ProjectId
    return {
      userId: `user-${token}` as UserId,
      userName: token,
      projectId,
      projectName: projectId,
      roles: token === 'admin' ? ['admin'] : ['member'],
      isAdmin: token === 'admin',
      requestId,
    }
  },
}

export function fakeContainer(
  number: number,
  caller: Caller,
  { name, spec, run }: NewContainer,
  nics: readonly Nic[],
): Container {
  return {
    id: uuid(number) as ContainerId,
    projectId: caller.projectId,
    userId: caller.userId,
    name: name ?? `alpha-${number}-container`,
    createdAt: fakeNow,
    updatedAt: fakeNow,
    spec,
    wish: { version: 1, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
    nics,
    mounts: [],
    capsule: null,
    registryId: null,
    sealedRegistryAuth: null,
    task: null,
    hostId: 'host-compute1' as HostId,
    hostName: 'compute1',
    imageRef: spec.image,
    imageManifest: null,
    placementFailure: null,
    observed: { engine: fakeEngine(run, spec.cpu, spec.memory), settled: 1, failure: null },
    seenGeneration: 1,
    hostLost: false,
    status: run ? 'Running' : 'Created',
    statusReason: null,
  }
}

function fakeEngine(running: boolean, cpu: number, memory: number): EngineContainer {
  return anEngineContainer({
    engineId: 'c'.repeat(64),
    state: running ? 'running' : 'created',
    startedAt: running ? new Date(fakeNow - 185_000).toISOString() : null,
    cpu,
    memory,
    command: ['sh'],
    workdir: '/',
    hostname: 'c0ffee',
    ports: ['80/tcp'],
    imageDigest: 'sha256:0',
  })
}

export function fakeHost(name: string): Host {
  return {
    id: `host-${name}` as HostId,
    name,
    availabilityZone: 'nova',
    facts: {
      hostname: name,
      engine: { name: 'docker', version: '20.10.24', apiVersion: '1.41', rootDir: '/var/lib/docker' },
      cpus: 8,
      memory: 16_000,
      disk: 100,
      architecture: 'x86_64',
      osType: 'linux',
      os: 'Debian GNU/Linux 12',
      kernelVersion: '6.1.0',
      runtimes: ['runc'],
      labels: {},
      agentVersion: '0.1.0',
    },
    disabled: false,
    disabledReason: null,
    forcedDown: false,
    createdAt: fakeNow,
    updatedAt: fakeNow,
    lastSeenAt: fakeNow,
    connected: true,
    reportCount: 1,
    used: { containers: 1, cpu: 1, memory: 512, disk: 10 },
  }
}

export function fakeImage(number: number, projectId: ProjectId | null, repo: string, tag: string): Image {
  return {
    id: uuid(0x1000 + number) as ImageId,
    projectId: projectId ?? ('admins' as ProjectId),
    userId: null,
    name: null,
    repo,
    tag,
    kind: 'image',
    status: 'active',
    visibility: projectId === null ? 'public' : 'private',
    digest: null,
    imageId: null,
    size: 1234,
    bytes: 1000,
    pending: null,
    glance: dockerImage,
    createdAt: fakeNow,
    updatedAt: fakeNow,
  }
}

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

/** A byte stream of these chunks. */
export function streamOf(...chunks: Buffer[]): Readable {
  return Readable.from(chunks, { objectMode: false })
}
