import type { Readable } from 'node:stream'
import type { Control, ListContainers, NewContainer } from '@gantry/control'
import { unfaked } from '@gantry/control/testing'
import { Fault } from '@gantry/kernel'
import {
  type Action,
  type ActionId,
  allows,
  type Caller,
  type Container,
  type ContainerId,
  defaultQuotas,
  type Image,
  type ImageId,
  nothingObserved,
  nothingUsed,
  type ProjectId,
  type QuotaMap,
  type RequestId,
  transitions,
  type Verb,
} from '@gantry/model'
import { encodeFrame, frameKinds } from '@gantry/wire'
import { fakeCapsules } from './fake-capsules.ts'
import { fakeConsoles } from './fake-consoles.ts'
import { fakeContainer, fakeImage, fakeNow, streamOf } from './fake-data.ts'
import { fakeHosts } from './fake-hosts.ts'
import { fakeNetwork } from './fake-network.ts'
import { fakeRegistries } from './fake-registries.ts'

/** A control that keeps everything in memory and carries each wish out at once: enough to see what a façade asks and shows. */
export interface FakeControl extends Control {
  /** Every call that was made, in order: `containers.create`, … with its arguments after the caller. */
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[]
  readonly rows: Map<ContainerId, Container>
  /** What the next calls hand out. */
  readonly next: {
    logs: { framed: boolean; output: () => Readable }
    exec: () => Readable
    archive: () => Readable
    uploaded: Buffer
    /** What the registry that engines ask has. */
    registry: () => ReturnType<Control['images']['searchRegistry']>
  }
}

export function fakeControl(): FakeControl {
  const calls: FakeControl['calls'] = []
  const rows = new Map<ContainerId, Container>()
  const actions: Action[] = []
  const images = new Map<ImageId, Image>()
  const limits = new Map<string, QuotaMap>()
  const next: FakeControl['next'] = {
    logs: { framed: false, output: () => streamOf(Buffer.from('hello\n')) },
    exec: () =>
      streamOf(
        encodeFrame(frameKinds.stdout, Buffer.from('out\n')),
        encodeFrame(frameKinds.end, Buffer.from('{"exitCode":0}')),
      ),
    archive: () => streamOf(Buffer.from('tar bytes')),
    uploaded: Buffer.alloc(0),
    registry: async () => [
      { name: 'busybox', description: 'Busybox base image.', official: true, automated: false, stars: 3 },
    ],
  }
  const network = fakeNetwork()
  const registries = fakeRegistries()
  let made = 0

  const find = (caller: Caller, ref: string, allProjects = false): Container => {
    const mine = [...rows.values()].filter(
      ({ projectId }) => allProjects || caller.isAdmin || projectId === caller.projectId,
    )
    const found = mine.filter(({ id, name }) => id === ref || name === ref)
    const byId = found.find(({ id }) => id === ref)
    if (!byId && found.length > 1) throw new Fault('container.ambiguous', { name: ref })
    const one = byId ?? found[0]
    if (!one) throw new Fault('container.not-found', { ref })
    return one
  }
  const act = (
    caller: Caller,
    ref: string,
    verb: Verb,
    name: Action['name'] | null,
    change: Partial<Container>,
  ): Container => {
    const container = find(caller, ref)
    if (!allows(verb, container.status)) {
      const allowed = transitions[verb].join(', ')
      throw new Fault('container.state', { action: verb, ref: container.name, status: container.status, allowed })
    }
    const changed = { ...container, ...change, updatedAt: fakeNow + 1000 }
    rows.set(container.id, changed)
    if (name) record(caller, changed, name)
    return changed
  }
  const record = (caller: Caller, container: Container, name: Action['name']) => {
    const action: Action = {
      id: `action-${actions.length}` as ActionId,
      containerId: container.id,
      projectId: container.projectId,
      userId: caller.userId,
      requestId: caller.requestId,
      name,
      wishVersion: 1,
      startedAt: fakeNow,
      finishedAt: fakeNow + 500,
      error: null,
    }
    actions.unshift(action)
  }
  const adminOnly = (caller: Caller, action: string) => {
    if (!caller.isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it is for administrators' })
  }
  const hosts = fakeHosts(adminOnly)
  const imageFor = (projectId: ProjectId | null, repo: string, tag: string): Image => {
    const image = fakeImage(images.size + 1, projectId, repo, tag)
    images.set(image.id, image)
    return image
  }

  const control: Control = {
    containers: {
      withIdPrefix: async () => [],
      counts: () => Promise.reject(new Error('containers.counts is not faked.')),
      createMany: () => Promise.reject(new Error('containers.createMany is not faked.')),
      rehearse: () => Promise.reject(new Error('containers.rehearse is not faked.')),
      until: () => Promise.reject(new Error('containers.until is not faked.')),
      create: async (caller, input: NewContainer) => {
        if (input.spec.requestedHost !== null) hosts.hostOf(input.spec.requestedHost)
        const nics = network.nics(caller, input.nets ?? [], input.groups)
        for (const mount of input.mounts ?? []) {
          if (mount.kind !== 'volume' || mount.source === 'volume-mine') continue
          if (mount.source === 'volume-used') {
            throw new Fault('volume.in-use', { type: 'volume', ref: mount.source, reason: 'by another container' })
          }
          throw new Fault('volume.not-found', { type: 'volume', ref: mount.source })
        }
        if (input.registry !== undefined) await registries.get(caller, input.registry)
        made += 1
        const container = fakeContainer(made, caller, input, nics)
        rows.set(container.id, container)
        record(caller, container, 'create')
        return { ...container, status: 'Creating', task: 'container_creating', observed: nothingObserved }
      },
      list: async (caller, query: ListContainers) => {
        const { filters } = query
        const found = [...rows.values()].filter(
          (row) =>
            (query.allProjects || row.projectId === caller.projectId) &&
            (filters.name === undefined || row.name === filters.name) &&
            (filters.status === undefined || row.status === filters.status) &&
            (filters.memory === undefined || row.spec.memory === filters.memory),
        )
        if (query.descending) found.reverse()
        const start = query.marker === null ? 0 : found.findIndex(({ id }) => id === query.marker) + 1
        return found.slice(start, start + query.limit)
      },
      get: async (caller, ref, options) => find(caller, ref, options?.allProjects),
      update: async (caller, ref, { name, cpu, memory, autoHeal }) => {
        const { spec, name: old } = find(caller, ref)
        const changed = {
          ...spec,
          cpu: cpu ?? spec.cpu,
          memory: memory ?? spec.memory,
          autoHeal: autoHeal ?? spec.autoHeal,
        }
        return act(caller, ref, 'update', 'update', { name: name ?? old, spec: changed })
      },
      delete: async (caller, ref, { force, stop, allProjects }) => {
        if (force) adminOnly(caller, 'delete_force')
        const verb = force ? 'delete_force' : stop ? 'delete_stop' : 'delete'
        rows.delete(act(caller, find(caller, ref, allProjects).id, verb, null, {}).id)
      },
      start: async (caller, ref) => act(caller, ref, 'start', 'start', { status: 'Running' }),
      stop: async (caller, ref) => act(caller, ref, 'stop', 'stop', { status: 'Stopped' }),
      reboot: async (caller, ref) => act(caller, ref, 'reboot', 'reboot', { status: 'Running' }),
      pause: async (caller, ref) => act(caller, ref, 'pause', 'pause', { status: 'Paused' }),
      unpause: async (caller, ref) => act(caller, ref, 'unpause', 'unpause', { status: 'Running' }),
      kill: async (caller, ref, signal) => {
        if (!/^(SIG)?(KILL|TERM|HUP)$|^\d{1,2}$/i.test(signal)) {
          throw new Fault('request.invalid', { problem: `There is no signal ${signal}.` })
        }
        return act(caller, ref, 'kill', 'kill', { status: 'Stopped' })
      },
      rebuild: async (caller, ref) => act(caller, ref, 'rebuild', 'rebuild', { status: 'Running' }),
      move: async (caller, ref) => act(caller, ref, 'rebuild', 'move', { status: 'Running' }),
      rename: async (caller, ref, name) => {
        const container = { ...find(caller, ref), name }
        rows.set(container.id, container)
        return container
      },
      attachNetwork: async (caller, ref, net) => {
        const { nics, name } = find(caller, ref)
        const [nic] = network.nics(caller, [net], undefined)
        if (nic && nics.some(({ networkId }) => networkId === nic.networkId)) {
          throw new Fault('network.attached', { ref: name, network: nic.networkId })
        }
        return act(caller, ref, 'rewire', 'network_attach', { nics: nic ? [...nics, nic] : nics })
      },
      detachNetwork: async (caller, ref, from) => {
        const { nics, name } = find(caller, ref)
        const wanted = Object.values(from)[0]
        const { id } = 'port' in from ? { id: from.port } : await network.verbs.networks.get(caller, from.network)
        const left = nics.filter(({ networkId, portId }) => networkId !== id && portId !== id)
        if (left.length === nics.length) throw new Fault('network.not-attached', { ref: name, network: String(wanted) })
        return act(caller, ref, 'rewire', 'network_detach', { nics: left })
      },
      addSecurityGroup: async (caller, ref, group) => {
        const { nics, name } = find(caller, ref)
        const id = network.groupId(caller, group)
        if (nics.some(({ groups }) => groups.includes(id))) throw new Fault('group.present', { ref: name, group })
        const changed = nics.map((nic) => ({ ...nic, groups: [...nic.groups, id] }))
        return act(caller, ref, 'rewire', 'add_security_group', { nics: changed })
      },
      removeSecurityGroup: async (caller, ref, group) => {
        const { nics, name } = find(caller, ref)
        const id = network.groupId(caller, group)
        if (!nics.some(({ groups }) => groups.includes(id))) throw new Fault('group.absent', { ref: name, group })
        const changed = nics.map((nic) => ({ ...nic, groups: nic.groups.filter((one) => one !== id) }))
        return act(caller, ref, 'rewire', 'remove_security_group', { nics: changed })
      },
      attach: async (caller, ref) => {
        act(caller, ref, 'attach', null, {})
        return { framed: next.logs.framed, output: next.logs.output() }
      },
      logs: async (caller, ref) => {
        act(caller, ref, 'logs', null, {})
        return { framed: next.logs.framed, output: next.logs.output() }
      },
      exec: async (caller, ref) => {
        act(caller, ref, 'execute', null, {})
        return { execId: 'e'.repeat(64), output: next.exec() }
      },
      resizeExec: async (caller, ref, execId) => {
        act(caller, ref, 'execute', null, {})
        throw new Fault('container.exec-not-found', { exec: execId, ref })
      },
      resizeTty: async (caller, ref) => void act(caller, ref, 'resize_tty', null, {}),
      top: async (caller, ref) => {
        act(caller, ref, 'top', null, {})
        return { titles: ['PID', 'CMD'], processes: [['1', 'ping']] }
      },
      stats: async (caller, ref) => {
        act(caller, ref, 'stats', null, {})
        const mebibyte = 1024 * 1024
        return {
          cpuPercent: 12.3456,
          memoryUsed: 3 * mebibyte,
          memoryLimit: 512 * mebibyte,
          blockRead: 10,
          blockWrite: 20,
          netReceived: 30,
          netSent: 40,
          pids: 1,
        }
      },
      getArchive: async (caller, ref, path) => {
        act(caller, ref, 'archive', null, {})
        if (path === '/nowhere') throw new Fault('container.path-not-found', { path, ref })
        const stat = { name: 'f', size: 9, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
        return { stat, tar: next.archive() }
      },
      putArchive: async (caller, ref, _path, tar) => {
        act(caller, ref, 'archive', null, {})
        const chunks: Buffer[] = []
        for await (const chunk of tar) chunks.push(chunk as Buffer)
        next.uploaded = Buffer.concat(chunks)
      },
      commit: async (caller, ref, repository, tag) => {
        act(caller, ref, 'commit', 'commit', {})
        return imageFor(caller.projectId, repository, tag)
      },
      actions: async (caller, ref) => {
        const { id } = find(caller, ref)
        return actions.filter(({ containerId }) => containerId === id)
      },
      action: async (caller, ref, requestId: RequestId) => {
        const { id } = find(caller, ref)
        const action = actions.find((one) => one.containerId === id && one.requestId === requestId)
        if (!action) throw new Fault('action.not-found', { request: requestId, container: ref })
        const { startedAt, finishedAt } = action
        const event = {
          actionId: action.id,
          name: 'start',
          startedAt,
          finishedAt,
          result: 'Success',
          detail: 'a trace',
        } as const
        return { action, events: [event] }
      },
    },
    registry: unfaked<Control['registry']>('registry'),
    images: {
      ...unfaked<Control['images']>('images'),
      list: async () => [...images.values()],
      get: async (_caller, id) => {
        const image = images.get(id)
        if (!image) throw new Fault('image.not-found', { image: id, reason: 'no such id.' })
        return image
      },
      pull: async (caller, { repo, tag, host }) => {
        adminOnly(caller, 'image:pull')
        hosts.hostOf(host)
        return imageFor(null, repo, tag)
      },
      delete: async (_caller, id) => {
        if (!images.delete(id)) throw new Fault('image.not-found', { image: id, reason: 'no such id.' })
      },
      search: async (_caller, name, { exact }) =>
        [...images.values()].filter(({ repo }) => (exact ? repo === name : repo.includes(name))),
      searchRegistry: async () => next.registry(),
    },
    servers: { list: async () => [] },
    hosts: hosts.verbs,
    quotas: {
      get: async (_caller, projectId) => ({ limits: limits.get(projectId) ?? defaultQuotas, used: nothingUsed }),
      defaults: async () => defaultQuotas,
      set: async (caller, projectId, change) => {
        adminOnly(caller, 'quota:update')
        const set = { ...defaultQuotas, ...change }
        limits.set(projectId, set)
        return set
      },
      clear: async (caller, projectId) => {
        adminOnly(caller, 'quota:delete')
        limits.delete(projectId)
      },
      getClass: async (caller) => {
        adminOnly(caller, 'quota_class:get')
        return defaultQuotas
      },
      setClass: async (caller, _name, change) => {
        adminOnly(caller, 'quota_class:update')
        return { ...defaultQuotas, ...change }
      },
    },
    network: network.verbs,
    // No route of this façade asks for a volume by itself.
    storage: {} as Control['storage'],
    capsules: fakeCapsules(network),
    registries,
    engine: unfaked('engine'),
    engineImages: unfaked('engineImages'),
    policy: unfaked('policy'),
    webhooks: unfaked('webhooks'),
    audit: unfaked('audit'),
    activity: unfaked('activity'),
    consoles: fakeConsoles(find),
    events: {
      watch: () => {
        throw new Fault('request.unsupported', { feature: 'watching', reason: 'this is a fake' })
      },
      changes: () => {
        throw new Fault('request.unsupported', { feature: 'watching', reason: 'this is a fake' })
      },
    },
  }
  // Networks and volumes have one room more of depth; what is asked there is not written down.
  return { ...recorded(control, calls), network: network.verbs, storage: control.storage, calls, rows, next }
}

/** The same control, each call written down first. */
function recorded(control: Control, calls: FakeControl['calls']): Control {
  const wrapped = Object.entries(control).map(([room, methods]) => [
    room,
    Object.fromEntries(
      Object.entries(methods as Record<string, (...args: unknown[]) => unknown>).map(([name, method]) => [
        name,
        (...args: unknown[]) => {
          calls.push({ name: `${room}.${name}`, args: args.slice(1) })
          return method(...args)
        },
      ]),
    ),
  ])
  return Object.fromEntries(wrapped)
}
