import type { ProjectId } from '@gantry/model'
import { isStatus } from '../engine/engine-error.ts'
import type { NetworkApi } from '../engine/networks.ts'
import { labels } from './labels.ts'

/**
 * One bridge network a project: its containers see each other and nobody else's. Made when first needed, removed by
 * the sweep that finds the project without containers on this host.
 */
export interface ProjectNetworks {
  /** The engine's name of the project's network, which exists when this resolves. */
  ensure(project: ProjectId, signal: AbortSignal): Promise<string>
  /** Forgets that the network exists, because the engine said it does not. */
  forget(project: ProjectId): void
  /** Removes it unless `inUse` says, at the moment of removal, that it is still needed. */
  drop(project: ProjectId, inUse: () => boolean, signal: AbortSignal): Promise<void>
  /** Learns what the engine has (after a start, or when it comes back). Resolves with the projects found. */
  load(signal: AbortSignal): Promise<ProjectId[]>
}

export function projectNetworks(api: NetworkApi, deployment: string): ProjectNetworks {
  const known = new Map<ProjectId, string>()
  const queues = new Map<ProjectId, Promise<unknown>>()

  /** One at a time per project, so that no removal overtakes a creation. */
  const inTurn = async <T>(project: ProjectId, task: () => Promise<T>): Promise<T> => {
    const before = queues.get(project) ?? Promise.resolve()
    const mine = before.then(task, task)
    queues.set(project, mine)
    try {
      return await mine
    } finally {
      if (queues.get(project) === mine) queues.delete(project)
    }
  }

  const make = async (project: ProjectId, signal: AbortSignal): Promise<string> => {
    const ours = { [labels.deployment]: deployment, [labels.project]: project }
    // The short name is for people; another project or deployment may have taken it.
    for (const name of [`gantry-${project.slice(0, 12)}`, `gantry-${project}-${deployment.slice(-12)}`]) {
      try {
        await api.create(name, ours, signal)
        return name
      } catch (error) {
        if (!isStatus(error, 409)) throw error
        const found = await api.inspect(name, signal)
        if (Object.entries(ours).every(([label, value]) => found.Labels?.[label] === value)) return name
      }
    }
    throw new Error(`The network names of project ${project} are taken by others.`)
  }

  return {
    ensure: async (project, signal) => {
      const name = queues.has(project) ? undefined : known.get(project)
      if (name !== undefined) return name
      return inTurn(project, async () => {
        const name = known.get(project) ?? (await make(project, signal))
        known.set(project, name)
        return name
      })
    },
    forget: (project) => {
      known.delete(project)
    },
    drop: (project, inUse, signal) =>
      inTurn(project, async () => {
        const name = known.get(project)
        if (name === undefined || inUse()) return
        known.delete(project)
        if (!(await api.remove(name, signal))) known.set(project, name)
      }),
    load: async (signal) => {
      const networks = await api.list([`${labels.deployment}=${deployment}`], signal)
      known.clear()
      for (const { Name, Labels } of networks) {
        const project = Labels?.[labels.project]
        if (project !== undefined) known.set(project as ProjectId, Name)
      }
      return [...known.keys()]
    },
  }
}
