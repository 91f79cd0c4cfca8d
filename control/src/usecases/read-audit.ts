import { Fault } from '@gantry/kernel'
import type { Caller, ProjectId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { mayChange } from '../policy/roles.ts'
import type { AuditPage, AuditQuery } from '../ports/audit-table.ts'

/** What was called on all servers, by whom, and what was answered. */
export interface AuditVerbs {
  /**
   * Newest first, of every project or of one. `policy.forbidden` for whoever is no administrator, but for members and their own project
   * where the operator lets them.
   */
  page(caller: Caller, query: Omit<AuditQuery, 'scope'> & { readonly project?: ProjectId | null }): Promise<AuditPage>
}

/** Who may read the audit: administrators all of it and, where the operator says so, members what is their project's. */
export function auditVerbs({ store, policy }: Pick<Deps, 'store' | 'policy'>): AuditVerbs {
  return {
    async page(caller, { project = null, ...query }) {
      return store.audit.page({ ...query, scope: scopeOf(caller, project, policy.auditReaders) })
    },
  }
}

function scopeOf(caller: Caller, asked: ProjectId | null, readers: Deps['policy']['auditReaders']): ProjectId | null {
  if (caller.isAdmin) return asked
  const action = 'Reading the audit'
  if (readers !== 'members') throw new Fault('policy.forbidden', { action, reason: 'it needs the admin role' })
  if (!mayChange(caller)) throw new Fault('policy.forbidden', { action, reason: 'it needs the role member or admin' })
  if (asked !== null && asked !== caller.projectId) {
    throw new Fault('policy.forbidden', {
      action: 'Reading the audit of another project',
      reason: 'it needs the admin role',
    })
  }
  return caller.projectId
}
