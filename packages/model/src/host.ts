import Type, { type Static } from 'typebox'
import type { HostId } from './ids.ts'

/** What an agent tells about its machine and engine when it connects, and again when it changes. */
export const HostFacts = Type.Object({
  hostname: Type.String(),
  engine: Type.Object({
    name: Type.String(),
    version: Type.String(),
    apiVersion: Type.String(),
    rootDir: Type.String(),
  }),
  cpus: Type.Integer(),
  /** MiB. */
  memory: Type.Integer(),
  /** GiB. */
  disk: Type.Integer(),
  architecture: Type.String(),
  osType: Type.String(),
  os: Type.String(),
  kernelVersion: Type.String(),
  runtimes: Type.Array(Type.String()),
  /** The engine can cap a container's own disk space. */
  diskQuota: Type.Optional(Type.Boolean()),
  /** Why it cannot build networks, as a sentence; left out: it can. */
  networkProblem: Type.Optional(Type.String()),
  /** Why it cannot hold volumes, as a sentence; left out: it can. */
  volumeProblem: Type.Optional(Type.String()),
  /** It stops containers with a lease by itself when no server has reached it for that long. */
  leases: Type.Optional(Type.Boolean()),
  /** What Cinder must know of this machine to let it reach a volume (`connector` of an attachment); left out: it cannot. */
  connector: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** What Neutron's agent on this machine calls it, where that is not its host name. */
  neutronHost: Type.Optional(Type.String()),
  /** The machine is a VM whose own port carries those of its containers. */
  nested: Type.Optional(
    Type.Object({
      kind: Type.Union([Type.Literal('vlan'), Type.Literal('macvlan')]),
      /** Its interface, and that one's MAC address, by which Neutron's port is found. */
      link: Type.String(),
      mac: Type.String(),
    }),
  ),
  /** What the machine runs in, in the words of systemd-detect-virt: `none`, `kvm`, `docker`, … */
  virtualization: Type.Optional(Type.String()),
  /** The server of Nova's that it is. */
  instance: Type.Optional(Type.String()),
  labels: Type.Record(Type.String(), Type.String()),
  agentVersion: Type.String(),
})
export type HostFacts = Static<typeof HostFacts>

/** A machine with an agent and an engine. */
export interface Host {
  readonly id: HostId
  readonly name: string
  readonly availabilityZone: string
  readonly facts: HostFacts
  /** An administrator's switch: nothing new is placed on a disabled host. */
  readonly disabled: boolean
  readonly disabledReason: string | null
  readonly forcedDown: boolean
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastSeenAt: number
  readonly connected: boolean
  /** Counts connections; shown as Zun's report_count. */
  readonly reportCount: number
  /** What containers placed on it were promised. */
  readonly used: HostUsage
  /** How much of each may be; only where it is asked for by name or in a list. */
  readonly limits?: HostUsage
}

export interface HostUsage {
  readonly containers: number
  /** Cores. */
  readonly cpu: number
  /** MiB. */
  readonly memory: number
  /** GiB. */
  readonly disk: number
}
