import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'

/** How many a project may have; -1: no limit. */
export interface NetworkLimits {
  readonly networks: number
  readonly subnets: number
  readonly ports: number
  readonly routers: number
  readonly floatingIps: number
  readonly groups: number
  readonly rules: number
}

/**
 * Neutron's, with more of what comes with containers, whose own quota bounds it: each has a port, and each with exposed ports
 * a group.
 */
export const defaultLimits: NetworkLimits = {
  networks: 100,
  subnets: 100,
  ports: 5000,
  routers: 10,
  floatingIps: 50,
  groups: 1000,
  rules: 5000,
}

const names: Readonly<Record<keyof NetworkLimits, string>> = {
  networks: 'networks',
  subnets: 'subnets',
  ports: 'ports',
  routers: 'routers',
  floatingIps: 'floating IPs',
  groups: 'security groups',
  rules: 'security group rules',
}

/** Throws `quota.exceeded` if `asked` more do not fit. Call inside the transaction that writes them. */
export async function enforceLimit(
  { tables, limits }: { readonly tables: Tables; readonly limits: NetworkLimits },
  projectId: ProjectId,
  resource: keyof NetworkLimits,
  asked = 1,
): Promise<void> {
  const limit = limits[resource]
  if (limit < 0 || asked <= 0) return
  const used = await usedOf(tables, projectId, resource)
  if (used + asked > limit) throw new Fault('quota.exceeded', { resource: names[resource], limit, used, asked })
}

async function usedOf(tables: Tables, projectId: ProjectId, resource: keyof NetworkLimits): Promise<number> {
  if (resource !== 'rules') return tables[resource].countOf(projectId)
  const groups = await tables.groups.list(projectId)
  return groups.reduce((sum, { rules }) => sum + rules.length, 0)
}
