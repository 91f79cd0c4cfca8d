import { PassThrough, type Readable } from 'node:stream'
import type { ContainerEvent, Containers, ExecRequest, ListContainers, LogOptions, LogStream } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type Action, type Caller, type Container, type ContainerId, nothingObserved, type Status } from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import { encodeFrame, frameKinds } from '@gantry/wire'
import type { FakeNetwork } from './fake-network.ts'
import type { FakeStorage } from './fake-storage.ts'

interface Entry {
  container: Container
  readonly log: Buffer[]
  readonly followers: Set<PassThrough>
  readonly actions: Action[]
}

export interface FakeDeps {
  readonly uuid: () => string
  readonly now: () => number
  readonly emit: (event: ContainerEvent) => void
  readonly network: FakeNetwork
  readonly storage: FakeStorage
}

/**
 * Containers that live in memory. Their "processes" know four commands: `echo words…` writes and ends, `exit N` ends with
 * that code, `print-env NAME` writes a variable, anything else runs until it is stopped (then ends with 143).
 */
export class FakeContainers {
  readonly #entries = new Map<string, Entry>()
  readonly #deps: FakeDeps
  /** What `putArchive` received last, and the sizes told to terminals. */
  readonly seen: { archive: Buffer; sizes: { rows: number; columns: number }[]; execs: ExecRequest[] }

  constructor(deps: FakeDeps) {
    this.#deps = deps
    this.seen = { archive: Buffer.alloc(0), sizes: [], execs: [] }
  }

  readonly api: Containers = {
    // What it makes is taken away at once.
    rehearse: async (caller, input) => {
      const made = await this.api.create(caller, { ...input, run: false })
      this.#deps.network.unplug(made.nics)
      this.#deps.storage.unmount(caller, made.mounts)
      this.#entries.delete(made.id)
      return made
    },
    createMany: (caller, input, count) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          this.api.create(caller, { ...input, name: `${input.name}-${index + 1}` }),
        ),
      ),
    create: async (caller, { name, spec, run, nets, groups, mounts }) => {
      const { uuid, now, network, storage } = this.#deps
      const id = uuid() as ContainerId
      const container: Container = {
        id,
        projectId: caller.projectId,
        userId: caller.userId,
        name: name ?? `made-up-${id.slice(0, 8)}`,
        createdAt: now(),
        updatedAt: now(),
        spec,
        wish: { version: 1, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
        nics: [],
        mounts: [],
        capsule: null,
        registryId: null,
        sealedRegistryAuth: null,
        task: 'container_creating',
        hostId: null,
        hostName: 'host-1',
        imageRef: spec.image,
        imageManifest: null,
        placementFailure: null,
        observed: nothingObserved,
        seenGeneration: 0,
        hostLost: false,
        status: 'Creating',
        statusReason: null,
      }
      for (const { container: other } of this.#entries.values()) {
        if (other.projectId === caller.projectId && other.name === container.name) {
          throw new Fault('container.name-taken', { name: container.name })
        }
      }
      const plugged = {
        mounts: storage.mount(caller, id, mounts),
        nics: network.plug(caller, id, nets, groups),
      }
      const entry: Entry = { container: { ...container, ...plugged }, log: [], followers: new Set(), actions: [] }
      this.#entries.set(id, entry)
      this.#act(entry, caller, 'create')
      setImmediate(() => this.#entries.has(id) && this.#born(entry, run))
      return entry.container
    },
    list: async (caller, query) => this.#list(caller, query),
    counts: async (caller, { allProjects = false }) => {
      const all = [...this.#entries.values()].map(({ container }) => container)
      const mine = all.filter(({ projectId }) => allProjects || projectId === caller.projectId)
      const byStatus: Partial<Record<Status, number>> = {}
      for (const { status } of mine) byStatus[status] = (byStatus[status] ?? 0) + 1
      return { byStatus, unhealthy: 0 }
    },
    withIdPrefix: async () => [],
    until: async () => {
      throw new Error('containers.until is not faked.')
    },
    get: async (caller, ref, options) => this.#find(caller, ref, options?.allProjects).container,
    update: async (caller, ref, patch) => {
      const entry = this.#find(caller, ref)
      const { name = entry.container.name, options: _options, ...spec } = patch
      return this.#change(entry, { name, spec: { ...entry.container.spec, ...spec } })
    },
    delete: async (caller, ref, options) => {
      const entry = this.#find(caller, ref, options.allProjects)
      if (entry.container.status === 'Running' && !options.force && !options.stop) {
        const allowed = 'Stopped'
        throw new Fault('container.state', { action: 'delete', ref, status: 'Running', allowed })
      }
      if (entry.container.status === 'Running') this.#end(entry, 143)
      this.#deps.network.unplug(entry.container.nics)
      this.#deps.storage.unmount(caller, entry.container.mounts)
      setImmediate(() => this.#remove(entry))
    },
    start: async (caller, ref) => this.#later(caller, ref, 'start', (entry) => this.#run(entry)),
    stop: async (caller, ref) => this.#later(caller, ref, 'stop', (entry) => this.#end(entry, 143)),
    reboot: async (caller, ref) => this.#later(caller, ref, 'reboot', (entry) => this.#run(entry)),
    pause: async (caller, ref) => this.#later(caller, ref, 'pause', (entry) => this.#status(entry, 'Paused')),
    unpause: async (caller, ref) => this.#later(caller, ref, 'unpause', (entry) => this.#status(entry, 'Running')),
    kill: async (caller, ref) => this.#later(caller, ref, 'kill', (entry) => this.#end(entry, 137)),
    rebuild: async (caller, ref) => this.#later(caller, ref, 'rebuild', (entry) => this.#run(entry)),
    move: async (caller, ref) => this.#later(caller, ref, 'move', (entry) => this.#run(entry)),
    rename: async (caller, ref, name) => this.#change(this.#find(caller, ref), { name }),
    attachNetwork: async (caller, ref, net) => {
      const { container } = this.#find(caller, ref)
      const nics = this.#deps.network.plug(caller, container.id, [net])
      return this.#change(this.#find(caller, ref), { nics: [...container.nics, ...nics] })
    },
    detachNetwork: async (caller, ref, from) => this.#unplug(caller, ref, from),
    addSecurityGroup: async (caller, ref, group) => this.#regroup(caller, ref, { add: group }),
    removeSecurityGroup: async (caller, ref, group) => this.#regroup(caller, ref, { remove: group }),
    attach: async (caller, ref, input) => {
      this.#find(caller, ref)
      return { framed: true, output: fakeExec({ command: ['cat'], input }) }
    },
    logs: async (caller, ref, options, signal) => this.#logs(this.#find(caller, ref), options, signal),
    exec: async (caller, ref, request) => {
      this.#find(caller, ref)
      this.seen.execs.push(request)
      return { execId: 'exec-1', output: fakeExec(request) }
    },
    resizeExec: async (caller, ref, execId, size) => {
      this.#find(caller, ref)
      if (execId !== 'exec-1') throw new Fault('container.exec-not-found', { exec: execId, ref })
      this.seen.sizes.push(size)
    },
    resizeTty: async (caller, ref, size) => {
      this.#find(caller, ref)
      this.seen.sizes.push(size)
    },
    top: async (caller, ref) => {
      this.#find(caller, ref)
      return { titles: ['PID', 'CMD'], processes: [['1', 'sh']] }
    },
    stats: async (caller, ref) => {
      this.#find(caller, ref)
      const bytes = { blockRead: 1, blockWrite: 2, netReceived: 3, netSent: 4 }
      return { cpuPercent: 1.5, memoryUsed: 1024, memoryLimit: 4096, ...bytes, pids: 1 }
    },
    getArchive: async (caller, ref, path) => {
      this.#find(caller, ref)
      const tar = new PassThrough()
      tar.end('a tar')
      return { stat: { name: path, size: 5, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }, tar }
    },
    putArchive: async (caller, ref, _path, tar) => {
      this.#find(caller, ref)
      this.seen.archive = Buffer.concat(await tar.toArray())
    },
    commit: async (caller, ref) => {
      this.#find(caller, ref)
      throw new Fault('request.unsupported', { feature: 'commit', reason: 'this is a fake' })
    },
    actions: async (caller, ref) => this.#find(caller, ref).actions,
    action: async (caller, ref, requestId) => {
      const action = this.#find(caller, ref).actions.find((one) => one.requestId === requestId)
      if (!action) throw new Fault('action.not-found', { request: requestId, ref })
      return { action, events: [] }
    },
  }

  count(): number {
    return this.#entries.size
  }

  #find(caller: Caller, ref: string, allProjects = false): Entry {
    for (const entry of this.#entries.values()) {
      const { container } = entry
      if (container.projectId !== caller.projectId && !(allProjects && caller.isAdmin)) continue
      if (container.id === ref || container.name === ref) return entry
    }
    throw new Fault('container.not-found', { ref })
  }

  #unplug(caller: Caller, ref: string, from: { network: string } | { port: string }): Container {
    const entry = this.#find(caller, ref)
    const { network } = this.#deps
    const id =
      'port' in from ? network.ports.find(caller, from.port).id : network.networks.find(caller, from.network).id
    const leaving = entry.container.nics.filter(({ portId, networkId }) => portId === id || networkId === id)
    if (leaving.length === 0) throw new Fault('network.not-attached', { ref, network: id })
    network.unplug(leaving)
    return this.#change(entry, { nics: entry.container.nics.filter((nic) => !leaving.includes(nic)) })
  }

  #regroup(caller: Caller, ref: string, change: { add: string } | { remove: string }): Container {
    const entry = this.#find(caller, ref)
    const name = 'add' in change ? change.add : change.remove
    const group = this.#deps.network.groups.find(caller, name).id
    const has = entry.container.nics.some(({ groups }) => groups.includes(group))
    if (has === 'add' in change) throw new Fault(has ? 'group.present' : 'group.absent', { ref, group: name })
    const nics = entry.container.nics.map((nic) => ({
      ...nic,
      groups: has ? nic.groups.filter((one) => one !== group) : [...nic.groups, group],
    }))
    return this.#change(entry, { nics })
  }

  #list(caller: Caller, { allProjects, filters, limit, marker, descending }: ListContainers): Container[] {
    const all = [...this.#entries.values()]
      .map((entry) => entry.container)
      .filter((container) => allProjects || container.projectId === caller.projectId)
      .filter((container) => filters.name === undefined || filters.name === container.name)
    if (descending) all.reverse()
    const from = marker === null ? 0 : all.findIndex((container) => container.id === marker) + 1
    return all.slice(from, from + limit)
  }

  #later(caller: Caller, ref: string, name: Action['name'], work: (entry: Entry) => void): Container {
    const entry = this.#find(caller, ref)
    this.#act(entry, caller, name)
    this.#change(entry, { task: 'container_starting' })
    setImmediate(() => work(entry))
    return entry.container
  }

  #act(entry: Entry, caller: Caller, name: Action['name']): void {
    const { id, projectId } = entry.container
    const { userId, requestId } = caller
    const times = { startedAt: this.#deps.now(), finishedAt: null }
    const action = { id: this.#deps.uuid(), containerId: id, projectId, userId, requestId, name, ...times }
    entry.actions.unshift({ ...action, wishVersion: 1, error: null } as Action)
  }

  #born(entry: Entry, run: boolean): void {
    if (entry.container.spec.image === 'no-such-image') {
      this.#change(entry, { task: null, status: 'Error', statusReason: 'There is no image of this name.' })
    } else if (run) this.#run(entry)
    else this.#status(entry, 'Created')
  }

  #run(entry: Entry): void {
    this.#status(entry, 'Running')
    const [word, ...rest] = entry.container.spec.command ?? []
    if (word === 'echo') this.#write(entry, `${rest.join(' ')}\n`)
    if (word === 'print-env') this.#write(entry, `${entry.container.spec.environment[rest[0] ?? '']}\n`)
    if (word === 'echo' || word === 'print-env') setImmediate(() => this.#end(entry, 0))
    if (word === 'exit') setImmediate(() => this.#end(entry, Number(rest[0])))
  }

  #write(entry: Entry, text: string): void {
    const frame = encodeFrame(frameKinds.stdout, Buffer.from(text))
    entry.log.push(frame)
    for (const follower of entry.followers) follower.write(frame)
  }

  #end(entry: Entry, exitCode: number): void {
    this.#status(entry, 'Stopped', exitCode)
    for (const follower of entry.followers) follower.end()
    if (entry.container.spec.autoRemove) this.#remove(entry)
  }

  #logs(entry: Entry, { follow }: LogOptions, signal: AbortSignal): LogStream {
    const output = new PassThrough()
    for (const frame of entry.log) output.write(frame)
    if (follow && entry.container.status === 'Running') {
      entry.followers.add(output)
      signal.addEventListener('abort', () => entry.followers.delete(output), { once: true })
    } else output.end()
    return { framed: true, output }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.container.id)
    this.#tell(entry, true)
  }

  #status(entry: Entry, status: Status, exitCode: number | null = null): void {
    const engine = anEngineContainer({
      state: status === 'Running' ? 'running' : 'exited',
      startedAt: '2026-01-01T00:00:00.000Z',
      exitCode,
      command: ['sh'],
      workdir: '/',
      hostname: 'h',
      imageDigest: 'sha256:0',
    })
    this.#change(entry, { task: null, status, observed: { engine, settled: 1, failure: null } })
  }

  #change(entry: Entry, change: Partial<Container>): Container {
    entry.container = { ...entry.container, ...change, updatedAt: this.#deps.now() }
    this.#tell(entry, false)
    return entry.container
  }

  #tell({ container }: Entry, gone: boolean): void {
    const { id, name, projectId, status, statusReason } = container
    const exitCode = container.observed.engine?.exitCode ?? null
    this.#deps.emit({
      at: this.#deps.now(),
      kind: 'container',
      id,
      name,
      projectId,
      status,
      statusReason,
      exitCode,
      gone,
    })
  }
}

/** Knows `cat` (stdin to stdout), `fail N` (a line on stderr, then that exit code), `hang`, and echoes anything else. */
function fakeExec({ command, input }: Pick<ExecRequest, 'command' | 'input'>): Readable {
  const output = new PassThrough()
  const finish = (exitCode: number): void => {
    output.end(encodeFrame(frameKinds.end, Buffer.from(JSON.stringify({ exitCode }))))
  }
  const [word, ...rest] = command
  if (word === 'cat' && input) {
    input.on('data', (chunk: Buffer) => output.write(encodeFrame(frameKinds.stdout, chunk)))
    input.on('end', () => finish(0))
  } else if (word === 'fail') {
    output.write(encodeFrame(frameKinds.stderr, Buffer.from('it failed\n')))
    finish(Number(rest[0]))
  } else if (word === 'cut') {
    setImmediate(() => output.destroy(new Error('the host went away')))
  } else if (word !== 'hang') {
    output.write(encodeFrame(frameKinds.stdout, Buffer.from(`${command.join(' ')}\n`)))
    finish(0)
  }
  return output
}
