import type { AuditMarker, AuditVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AuditRecord } from '@gantry/model'

/** One record, of whatever is asked, for administrators. It repeats the question as its path. */
export function fakeAudit(): AuditVerbs {
  return {
    async page({ isAdmin, userId, userName }, query) {
      if (!isAdmin)
        throw new Fault('policy.forbidden', { action: 'Reading the audit', reason: 'it needs the admin role' })
      const record: AuditRecord = {
        typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
        id: 'req-1',
        eventType: 'activity',
        eventTime: new Date(0).toISOString(),
        action: 'delete',
        outcome: 'success',
        reason: { reasonType: 'HTTP', reasonCode: '202' },
        initiator: {
          typeURI: 'service/security/account/user',
          id: userId,
          name: userName,
          project_id: query.project ?? null,
          host: { address: '127.0.0.1', agent: 'a test' },
        },
        target: { typeURI: 'service/compute', id: 'web', name: '/v1/containers/:ref' },
        observer: { typeURI: 'service/compute', id: 'a server' },
        requestPath: JSON.stringify(query),
      }
      return { records: [record], next: '1.2' as AuditMarker }
    },
  }
}
