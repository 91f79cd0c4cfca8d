import type { ContainerEvent, NewContainer, PublishedPort } from '@gantry/control'
import {
  type Action,
  type ActionEvent,
  type Caller,
  type Container,
  type ContainerSpec,
  defaultSpec,
  type Host,
  type Publish,
} from '@gantry/model'
import type { ActionView, ContainerView, CreateContainer, EventView, HostView } from './schemas.ts'
import { isoTime, timeOrNull } from './times.ts'
import { toMountRequest, toMountView } from './translate-mounts.ts'
import type { PublishPort } from './schemas-network.ts'
import { toAddresses, toGroupIds, toNetRequest } from './translate-network.ts'

export function fromNative(body: CreateContainer): NewContainer {
  const { name, run, host, nets, unplugged, securityGroups, mounts, registry, ...others } = body
  const { constraints, affinity, antiAffinity, publish = [], ...given } = others
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const hints = { ...body.hints, ...asHints({ constraints, affinity, anti_affinity: antiAffinity }) }
  const ports = publish.map(toPublish)
  const opened = [...(body.exposedPorts ?? []), ...ports.map((each) => `${each.containerPort}/${each.protocol}`)]
  const spec: ContainerSpec = {
    ...defaultSpec(body.image),
    ...asked,
    hints,
    requestedHost: host ?? null,
    exposedPorts: [...new Set(opened)],
    ...(ports.length > 0 && { options: { publish: ports } }),
  }
  return {
    name: name ?? null,
    run: run ?? false,
    spec,
    ...(nets === undefined ? {} : { nets: nets.map((net, index) => toNetRequest(net, `nets[${index}]`)) }),
    ...(unplugged === true && { unplugged }),
    ...(securityGroups === undefined ? {} : { groups: securityGroups }),
    ...(mounts === undefined ? {} : { mounts: mounts.map(toMountRequest) }),
    ...(registry === undefined || registry === null ? {} : { registry }),
  }
}

function toPublish({ containerPort, protocol = 'tcp', publicPort = null, address = null }: PublishPort): Publish {
  return { containerPort, protocol, publicPort, address }
}

/** Lists are hints, too, as Zun's clients would write them. */
function asHints(lists: Readonly<Record<string, readonly string[] | undefined>>): Record<string, string> {
  const said = Object.entries(lists).flatMap(([hint, list]) => (list ? [[hint, JSON.stringify(list)] as const] : []))
  return Object.fromEntries(said)
}

/** The host is the operator's business: only administrators are shown it. */
export function toContainerView(
  container: Container,
  caller: Caller,
  published: readonly PublishedPort[] = [],
): ContainerView {
  const { spec, observed } = container
  const { engine } = observed
  const { requestedHost: _host, hints: _hints, options, exposedPorts, command, entrypoint, ...shown } = spec
  return {
    ...shown,
    id: container.id,
    name: container.name,
    projectId: container.projectId,
    userId: container.userId,
    imageDigest: engine?.imageDigest ?? null,
    status: container.status,
    statusReason: container.statusReason,
    task: container.task,
    host: caller.isAdmin ? container.hostName : null,
    createdAt: isoTime(container.createdAt),
    updatedAt: isoTime(container.updatedAt),
    startedAt: engine?.startedAt ?? null,
    finishedAt: engine?.finishedAt ?? null,
    exitCode: engine?.exitCode ?? null,
    oomKilled: engine?.oomKilled ?? false,
    health: engine?.health ?? null,
    restartCount: engine?.restartCount ?? 0,
    addresses: toAddresses(container.nics),
    securityGroups: toGroupIds(container.nics),
    mounts: container.mounts.map(toMountView),
    capsule: container.capsule?.capsuleId ?? null,
    registry: container.registryId,
    ports: portsOf(engine?.ports ?? exposedPorts, published),
    publish: options?.publish ?? [],
    published: [...published],
    command: command ?? engine?.command ?? [],
    entrypoint: entrypoint ?? engine?.entrypoint ?? [],
    workdir: spec.workdir ?? engine?.workdir ?? null,
    hostname: spec.hostname ?? engine?.hostname ?? null,
  }
}

/** `172.24.4.5:222->22/tcp` for what is published, `80/tcp` for what is only exposed. */
function portsOf(exposed: readonly string[], published: readonly PublishedPort[]): string[] {
  const target = ({ containerPort, protocol }: PublishedPort) => `${containerPort}/${protocol}`
  const rest = exposed.filter((port) => !published.some((one) => target(one) === port))
  return [...published.map((one) => `${one.address}:${one.publicPort}->${target(one)}`), ...rest]
}

export function toHostView(host: Host): HostView {
  const { facts } = host
  return {
    id: host.id,
    name: host.name,
    availabilityZone: host.availabilityZone,
    connected: host.connected,
    disabled: host.disabled,
    disabledReason: host.disabledReason,
    forcedDown: host.forcedDown,
    engine: `${facts.engine.name} ${facts.engine.version}`,
    os: facts.os,
    architecture: facts.architecture,
    kernelVersion: facts.kernelVersion,
    agentVersion: facts.agentVersion,
    runtimes: facts.runtimes,
    labels: facts.labels,
    cpus: facts.cpus,
    memory: facts.memory,
    disk: facts.disk,
    neutronHost: facts.neutronHost ?? facts.hostname,
    networkProblem: facts.networkProblem ?? null,
    volumeProblem: facts.volumeProblem ?? null,
    used: { ...host.used },
    limits: toLimits(host),
    leases: facts.leases === true,
    virtualization: facts.virtualization ?? null,
    instance: facts.instance ?? null,
    createdAt: isoTime(host.createdAt),
    lastSeenAt: isoTime(host.lastSeenAt),
  }
}

function toLimits({ limits, facts: { cpus: cpu, memory, disk } }: Host): HostView['limits'] {
  if (!limits) return { containers: null, cpu, memory, disk }
  return { ...limits, containers: Number.isFinite(limits.containers) ? limits.containers : null }
}

export function toActionView(action: Action, events?: readonly ActionEvent[]): ActionView {
  return {
    id: action.id,
    name: action.name,
    requestId: action.requestId,
    userId: action.userId,
    startedAt: isoTime(action.startedAt),
    finishedAt: timeOrNull(action.finishedAt),
    error: action.error,
    ...(events ? { events: events.map(toStepView) } : {}),
  }
}

function toStepView({ name, startedAt, finishedAt, result, detail }: ActionEvent) {
  return { name, startedAt: isoTime(startedAt), finishedAt: timeOrNull(finishedAt), result, detail }
}

export function toEventView(event: ContainerEvent): EventView {
  return { ...event, at: isoTime(event.at) }
}
