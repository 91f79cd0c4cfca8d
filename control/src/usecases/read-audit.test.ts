import { defaultPolicy } from '../deps.ts'
import type { AuditQuery } from '../ports/audit-table.ts'
import type { Caller, ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { auditVerbs } from './read-audit.ts'

const caller = (role: string, project = 'p1') =>
  ({ projectId: project, roles: [role], isAdmin: role === 'admin' }) as unknown as Caller
const p2 = 'p2' as ProjectId

async function scopeFor(readers: 'administrators' | 'members', who: Caller, project?: ProjectId) {
  const asked: AuditQuery[] = []
  const page = async (query: AuditQuery) => {
    asked.push(query)
    return { records: [], next: null }
  }
  const store = { audit: { page } } as unknown as Parameters<typeof auditVerbs>[0]['store']
  const verbs = auditVerbs({ store, policy: { ...defaultPolicy, auditReaders: readers } })
  await verbs.page(who, { limit: 1, ...(project && { project }) })
  return asked[0]?.scope
}

test('an administrator reads of all projects or of one', async () => {
  expect(await scopeFor('administrators', caller('admin'))).toBeNull()
  expect(await scopeFor('administrators', caller('admin'), p2)).toBe(p2)
})

test('a member reads what is of the own project, if the operator says so, and nothing else', async () => {
  expect(await scopeFor('members', caller('member'))).toBe('p1')
  for (const refused of [
    scopeFor('members', caller('member'), p2),
    scopeFor('members', caller('reader')),
    scopeFor('administrators', caller('member')),
    scopeFor('administrators', caller('reader')),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'policy.forbidden' })
  }
})
