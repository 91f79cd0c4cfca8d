import type { CloudPort, ContainerPorts, RemotePorts, Tables } from '@gantry/control'
import type { Container, ContainerId, Nic } from '@gantry/model'
import { expose, regroup } from './change-groups.ts'
import { lookups } from './lookups.ts'
import { dropPorts, type MakerParts, makeOnePort, makePorts } from './make-ports.ts'
import { inTurn, sharedTurns } from '../among-servers.ts'
import { making } from '../making.ts'
import type { Parts } from './parts.ts'
import { letGo, requireKept } from './port-rows.ts'
import { sweepPorts } from './port-sweep.ts'
import { type PortWorker, portWorker, type WorkerParts } from './port-worker.ts'
import { publishPorts } from './published-ports.ts'
import { sweeping } from '../sweeping.ts'
import { isSpare, type Spares, spares } from './spares.ts'
import { expectedVifs } from './vif-of.ts'

export interface NeutronPorts extends ContainerPorts, AsyncDisposable {
  readonly remote: RemotePorts
  /** Goes on with what a dead server left; sweeps now and then. */
  start(): Promise<void>
}

export type NeutronPortsParts = Parts &
  Pick<MakerParts, 'ensureUsual'> & {
    /** How many ports of one kind are kept ready, at most; none unless told. */
    readonly mostSpares?: number
  }

/** How long a container that is gone waits for its ports to be gone, too. Milliseconds. */
const leaveMs = 8000

/** Ports of containers at a Neutron: made with their users' rights, bound and given back with Gantry's own. */
export function neutronPorts(parts: NeutronPortsParts): NeutronPorts {
  const listeners: ((container: Container) => void)[] = []
  const announce = (container: Container) => {
    for (const listener of listeners) listener(container)
  }
  const shared: WorkerParts = {
    ...parts,
    announce,
    expected: expectedVifs(parts),
    publishing: sharedTurns(parts, 'publishing'),
    carrying: sharedTurns(parts, 'carrying'),
  }
  const worker = portWorker(shared)
  const inHand = making(parts)
  const { ensureUsual } = parts
  const wake = () => worker.wake()
  const ready = spares({ ...parts, making: inHand, settle: (ids) => worker.settle(ids) }, parts.mostSpares ?? 0)
  const maker: MakerParts = {
    ...shared,
    ensureUsual,
    lookups: lookups(parts),
    making: inHand,
    spares: ready,
    wake,
  }
  // Where there are other servers, what is young may be theirs.
  const startedAt = parts.servers ? 0 : parts.clock.now()
  const sweeps = sweeping(parts.log, 'Neutron', async () => {
    await inTurn(parts, 'sweep of ports', () => sweepPorts({ ...shared, making: inHand, startedAt, wake }))
    worker.wake()
  })
  return {
    ...withinTransactions(worker),
    remote: {
      make: (caller, request) => makePorts(maker, caller, request),
      makeOne: (caller, containerId, nics, net) => makeOnePort(maker, caller, containerId, nics, net),
      drop: (containerId, nics) => dropPorts(maker, containerId, nics),
      leave: (containerId) => leave(parts, worker, ready, containerId),
      regroup: (caller, nics, change) => regroup(maker, caller, nics, change),
      expose: (caller, containerId, nics, ports) => expose(maker, caller, containerId, nics, ports),
      publish: (caller, request) => publishPorts(shared, caller, request),
      onBound: (listener) => void listeners.push(listener),
    },
    async start() {
      worker.wake()
      sweeps.start()
    },
    async [Symbol.asyncDispose]() {
      await sweeps.stop()
      await ready.close()
      await worker.close()
    },
  }
}

/** Only writes down what is to be done; the worker does it once the transaction has ended. */
function withinTransactions(worker: PortWorker): ContainerPorts {
  const end = async (tables: Tables, rows: readonly CloudPort[]) => {
    if (rows.length === 0) return
    await letGo(tables, rows)
    worker.wake()
  }
  const withTheirGroups = (nics: readonly Nic[], made: readonly Nic[] = []) => {
    const groups = new Map(made.map((nic) => [nic.portId, nic.groups]))
    return nics.map((nic) => ({ ...nic, groups: groups.get(nic.portId) ?? nic.groups }))
  }
  return {
    async reserve(tables, _caller, _request, made = []) {
      await requireKept(tables, made)
      return [...made]
    },
    async attach(tables, _caller, _containerId, _nics, _net, made) {
      if (!made) throw new Error('the port is made before the transaction')
      await requireKept(tables, [made])
      return made
    },
    async detach(tables, containerId, nics) {
      const rows = await tables.cloudPorts.ofContainer(containerId)
      await end(
        tables,
        rows.filter(({ id }) => nics.some(({ portId }) => portId === id)),
      )
    },
    async place(tables, containerId, hostId) {
      await tables.cloudPorts.place(containerId, hostId)
      worker.wake()
    },
    publish: async () => undefined,
    expose: async (_tables, _caller, _containerId, nics, _ports, made) => withTheirGroups(nics, made),
    regroup: async (_tables, _caller, nics, _change, made) => withTheirGroups(nics, made),
    release: async (tables, containerId) => end(tables, await tables.cloudPorts.ofContainer(containerId)),
  }
}

/** Everything the container has; its row stays meanwhile, and `release` comes when it is forgotten. */
async function leave({ store }: Parts, worker: PortWorker, ready: Spares, containerId: ContainerId): Promise<void> {
  const rows = await store.transaction(async (tables) => {
    const all = await tables.cloudPorts.ofContainer(containerId)
    await letGo(tables, all)
    return all
  })
  const tooLong = Promise.withResolvers<void>()
  const timer = setTimeout(tooLong.resolve, leaveMs)
  const idsOf = (kind: CloudPort['kind']) => rows.filter((row) => row.kind === kind).map(({ id }) => id)
  const done = Promise.all([worker.settle(idsOf('port')), withoutSpares(store, ready, rows)]).then(() =>
    worker.settle(idsOf('group')),
  )
  await Promise.race([done, tooLong.promise])
  clearTimeout(timer)
  worker.wake()
}

/** Where the last container of a project leaves a network, its user may mean to delete that: nothing waits there any more. */
async function withoutSpares(store: Parts['store'], ready: Spares, leaving: readonly CloudPort[]): Promise<void> {
  for (const { projectId, networkId } of leaving) {
    if (networkId === null) continue
    const beside = (await store.cloudPorts.onNetwork(projectId, networkId)).filter((row) => !row.leaving)
    if (beside.every(isSpare)) await ready.drop(projectId, networkId)
  }
}
