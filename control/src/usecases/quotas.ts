import { Fault } from '@gantry/kernel'
import { type Caller, type ProjectId, type QuotaMap, quotaResources } from '@gantry/model'
import type { Quotas } from '../control.ts'
import type { Deps } from '../deps.ts'
import { classLimits, limitsOf, usageOf } from '../quotas/enforce.ts'
import { requireAdminFor } from './find-container.ts'

export function quotaUseCases(deps: Deps): Quotas {
  const { store } = deps
  return {
    async get(caller, projectId) {
      requireOwn(caller, projectId)
      return { limits: await limitsOf(store, projectId), used: await usageOf(store, projectId) }
    },
    async defaults(caller, projectId) {
      requireOwn(caller, projectId)
      return classLimits(store, 'default')
    },
    async set(caller, projectId, limits) {
      requireAdminFor(caller, true, 'Changing a quota')
      checkLimits(limits)
      return store.transaction(async (tables) => {
        await tables.quotas.setProject(projectId, limits)
        return limitsOf(tables, projectId)
      })
    },
    async clear(caller, projectId) {
      requireAdminFor(caller, true, 'Changing a quota')
      await store.quotas.clearProject(projectId)
    },
    async getClass(caller, name) {
      requireAdminFor(caller, true, 'Looking at a quota class')
      return classLimits(store, name)
    },
    async setClass(caller, name, limits) {
      requireAdminFor(caller, true, 'Changing a quota class')
      checkLimits(limits)
      return store.transaction(async (tables) => {
        await tables.quotas.setClass(name, limits)
        return classLimits(tables, name)
      })
    },
  }
}

function requireOwn(caller: Caller, projectId: ProjectId): void {
  requireAdminFor(caller, projectId !== caller.projectId, 'Looking at the quota of another project')
}

function checkLimits(limits: Partial<QuotaMap>): void {
  for (const resource of quotaResources) {
    const value = limits[resource]
    if (value === undefined || (Number.isFinite(value) && value >= -1)) continue
    throw new Fault('request.invalid', {
      problem: `The quota for ${resource} must be -1 (no limit) or a number from 0.`,
    })
  }
}
