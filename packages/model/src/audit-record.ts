/** One call, in the words of CADF (DMTF DSP0262), as OpenStack's audit middleware uses them. Holds no query, header or body: those may be secret. */
export interface AuditRecord {
  readonly typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event'
  /** The request's id, which the answer and the actions of containers have too. */
  readonly id: string
  readonly eventType: 'activity'
  readonly eventTime: string
  readonly action: string
  readonly outcome: AuditOutcome
  readonly reason: { readonly reasonType: 'HTTP'; readonly reasonCode: string }
  readonly initiator: {
    readonly typeURI: 'service/security/account/user'
    /** `unknown`: nobody had signed in, or it is not known who. */
    readonly id: string
    readonly name: string | null
    readonly project_id: string | null
    readonly host: { readonly address: string; readonly agent: string }
  }
  readonly target: { readonly typeURI: string; readonly id: string; readonly name: string }
  readonly observer: { readonly typeURI: 'service/compute'; readonly id: string }
  readonly requestPath: string
}

export const auditOutcomes = ['success', 'failure', 'pending', 'unknown'] as const
export type AuditOutcome = (typeof auditOutcomes)[number]
