import { callerOf } from '@gantry/http'
import type { AuditMarker, AuditVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type AuditOutcome, auditOutcomes } from '@gantry/model'
import Type from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { exact } from '../fields.ts'
import { operation } from '../operation.ts'
import { bounded, oneOf, text, whole } from '../query.ts'

const AuditQuery = Type.Object(
  {
    project: text('Only what was called by those of this project: an id or a name.'),
    user: text('Only what this user called: an id or a name.'),
    action: text('Only this: `delete`, `update/stop`, or `update*` for all that begin so.', 64),
    outcome: oneOf(auditOutcomes, 'Only what ended so; `pending`: accepted (202).'),
    since: text('Nothing older: an ISO 8601 time.', 64),
    until: text('Nothing newer: an ISO 8601 time.', 64),
    limit: whole('At most so many (1 to 1000); 100 if left out.'),
    marker: text('The `next` of the page before.', 64),
  },
  exact,
)

/** What was called on all servers of the cloud, by whom, and what was answered. */
export function auditRoutes(app: App, { control, projectOf }: NativeContext): void {
  app.get('/audit', { schema: listDoc }, async (request) => {
    const caller = callerOf(request)
    const { project, user, action, outcome, since, until, limit, marker } = request.query
    const query = {
      limit: bounded('limit', limit, 100, [1, 1000]),
      ...(user !== undefined && { user }),
      ...(action !== undefined && { action }),
      ...(outcome !== undefined && { outcome: outcome as AuditOutcome }),
      ...(since !== undefined && { since: timeOf('since', since) }),
      ...(until !== undefined && { until: timeOf('until', until) }),
      ...(marker !== undefined && { marker: marker as AuditMarker }),
    } satisfies Parameters<AuditVerbs['page']>[1]
    // Whether a project is there is not for everybody to find out.
    const isOwn = project === undefined || project === caller.projectId || project === caller.projectName
    if (!isOwn && !caller.isAdmin) {
      const action = 'Reading the audit of another project'
      throw new Fault('policy.forbidden', { action, reason: 'it needs the admin role' })
    }
    return control.audit.page(caller, { ...query, ...(project !== undefined && { project: await projectOf(project) }) })
  })
}

function timeOf(name: string, given: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(given) ? Date.parse(given) : Number.NaN
  if (Number.isFinite(time)) return time
  throw new Fault('request.invalid', { problem: `${name} must be a time as 2026-11-29T13:00:00Z.` })
}

const listDoc = operation({
  operationId: 'listAudit',
  summary: 'List what was called, by whom, and what was answered, newest first',
  description:
    'For administrators; for members of a project, what is recorded of it, where the server runs with `--audit-readers members`. A page may hold few records, or none, although more follow: go on with `next` until it is null.',
  tag: 'audit',
  querystring: AuditQuery,
  answer: { status: 200, description: 'One page.', content: 'AuditRecordList' },
})
