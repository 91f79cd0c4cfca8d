import { Fault } from '@gantry/kernel'
import { defaultQuotas, nothingUsed, type ProjectId, type QuotaMap, quotaExcess } from '@gantry/model'
import type { Tables } from '../ports/store.ts'

/** The limits in force: what was set for the project, else for class `default`, else the built-in ones. */
export async function limitsOf(tables: Tables, projectId: ProjectId): Promise<QuotaMap> {
  const [own, inherited] = await Promise.all([tables.quotas.ofProject(projectId), classLimits(tables, 'default')])
  return { ...inherited, ...own }
}

export async function classLimits(tables: Tables, name: string): Promise<QuotaMap> {
  return { ...defaultQuotas, ...(await tables.quotas.ofClass(name)) }
}

/** What the project has of everything. */
export async function usageOf(tables: Tables, projectId: ProjectId): Promise<QuotaMap> {
  const [containers, imageBytes] = await Promise.all([
    tables.containers.usageOfProject(projectId),
    tables.contents.bytesOf(projectId),
  ])
  return { ...containers, imageBytes }
}

/** Throws `quota.exceeded` if `asked` more does not fit. Call inside the transaction that writes what was asked for. */
export async function enforceQuota(tables: Tables, projectId: ProjectId, asked: Partial<QuotaMap>): Promise<void> {
  const limits = await limitsOf(tables, projectId)
  const wanted = { ...nothingUsed, ...asked }
  // Only who asks for images must wait until they are added up.
  const used =
    wanted.imageBytes > 0
      ? await usageOf(tables, projectId)
      : { ...(await tables.containers.usageOfProject(projectId)), imageBytes: 0 }
  const excess = quotaExcess(limits, used, wanted)
  if (excess) throw new Fault('quota.exceeded', { ...excess })
}

/** Names in the catalogue of one project: enough for people, and a bound on what a list answers. */
const mostImages = 10_000

/** Throws `quota.exceeded` if the project has no room for one more entry of the catalogue. */
export async function requireRoomForImage({ images }: Tables, projectId: ProjectId): Promise<void> {
  const used = await images.countOf(projectId)
  if (used >= mostImages) throw new Fault('quota.exceeded', { resource: 'images', used, limit: mostImages, asked: 1 })
}
