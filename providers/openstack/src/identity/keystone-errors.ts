import type { Log } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { faultOf, isOpenStackError } from '@gantry/openstack'

/** For how long Keystone's word on a token counts, and no longer. Milliseconds. */
export const longestTrustMs = 300_000

/**
 * What it means for whoever shows a token when Keystone cannot be asked about it: nothing about her. Also when it is the
 * server's own user who is not accepted, which is for the operator to mend.
 */
export function cannotAsk(error: unknown, log: Log): unknown {
  if (!isOpenStackError(error)) return error
  if (error.status === 401 || error.status === 403) {
    log.error({ reason: error.message }, 'keystone does not accept the user of this server')
    return new Fault('service.unavailable', { service: 'identity', reason: 'it does not accept this server' }, error)
  }
  const fault = faultOf(error)
  if (fault.kind !== 'unavailable') return fault
  const reason = `it does not answer; tokens that it was asked about in the last ${longestTrustMs / 60_000} minutes go on working`
  return new Fault('service.unavailable', { service: 'identity', reason }, error)
}

/** For calls with the user's own token, in the words of the identity port. */
export function asIdentityFault(error: unknown, action: string, ref: string): unknown {
  if (!isOpenStackError(error)) return error
  switch (error.status ?? 0) {
    case 400:
      return new Fault('request.invalid', { problem: error.reason }, error)
    case 401:
      return new Fault('auth.required', { reason: 'Keystone does not accept the token any more' }, error)
    case 403:
      return new Fault('policy.forbidden', { action, reason: error.reason.replace(/\.+$/, '') }, error)
    case 404:
      return new Fault('identity.not-found', { type: 'application credential', ref }, error)
    case 409:
      return new Fault('identity.conflict', { type: 'application credential', name: ref }, error)
    default:
      return faultOf(error)
  }
}
