import { type AuditOutcome, auditOutcomes } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { listOf, orNull } from './fields.ts'

/** One call, in CADF's terms (DMTF DSP0262). */
const AuditRecord = Type.Object({
  typeURI: Type.String(),
  id: Type.String({ description: 'The id of the request, which its answer had as X-Openstack-Request-Id.' }),
  eventType: Type.String(),
  eventTime: Type.String({ format: 'date-time' }),
  action: Type.String({ description: '`create`, `delete`, `update`, `update/stop`, `authenticate` …' }),
  outcome: Type.Unsafe<AuditOutcome>({ type: 'string', enum: [...auditOutcomes] }),
  reason: Type.Object({ reasonType: Type.String(), reasonCode: Type.String({ description: 'The HTTP status.' }) }),
  initiator: Type.Object({
    typeURI: Type.String(),
    id: Type.String({ description: '`unknown`: nobody had signed in, or it is not known who.' }),
    name: orNull(Type.String()),
    project_id: orNull(Type.String()),
    host: Type.Object({ address: Type.String(), agent: Type.String() }),
  }),
  target: Type.Object({
    typeURI: Type.String(),
    id: Type.String({ description: 'As the path named it.' }),
    name: Type.String({ description: 'The route.' }),
  }),
  observer: Type.Object({ typeURI: Type.String(), id: Type.String({ description: 'The server that answered.' }) }),
  requestPath: Type.String({ description: 'Without its query.' }),
})
export type AuditRecordView = Static<typeof AuditRecord>

const AuditRecordList = Type.Object({
  ...listOf('records', 'AuditRecord').properties,
  next: orNull(Type.String({ description: 'The marker of the page that follows; null: there is none.' })),
})
export interface AuditPageView {
  readonly records: readonly AuditRecordView[]
  readonly next: string | null
}

export const auditDocuments = { AuditRecord, AuditRecordList }
