import { Fault } from '@gantry/kernel'
import { defaultQuotas, type ProjectId, type QuotaMap, quotaExcess } from '@gantry/model'
import type { Tables } from '../ports/store.ts'

/** The limits in force: what was set for the project, else for class `default`, else the built-in ones. */
export async function limitsOf(tables: Tables, projectId: ProjectId): Promise<QuotaMap> {
  const [own, inherited] = await Promise.all([tables.quotas.ofProject(projectId), classLimits(tables, 'default')])
  return { ...inherited, ...own }
}

export async function classLimits(tables: Tables, name: string): Promise<QuotaMap> {
  return { ...defaultQuotas, ...(await tables.quotas.ofClass(name)) }
}

/** Throws `quota.exceeded` if `asked` more does not fit. Call inside the transaction that writes what was asked for. */
export async function enforceQuota(tables: Tables, projectId: ProjectId, asked: QuotaMap): Promise<void> {
  const limits = await limitsOf(tables, projectId)
  const used = await tables.containers.usageOfProject(projectId)
  const excess = quotaExcess(limits, used, asked)
  if (excess) throw new Fault('quota.exceeded', { ...excess })
}
