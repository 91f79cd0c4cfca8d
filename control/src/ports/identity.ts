import type { Caller, RequestId } from '@gantry/model'

/** Who a token stands for. Implemented by the embedded identity provider and by Keystone's. */
export interface TokenVerifier {
  /** Throws `auth.required` for a token that is unknown, expired, revoked, or not scoped to a project. */
  verify(token: string, requestId: RequestId): Promise<Caller>
}
