import type { Log } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import type { CallNote } from '@gantry/openstack'

/** A call that takes longer is worth a line. Milliseconds. */
const slowMs = 5_000

/** Lines about calls that failed or were slow, and one each when a service goes away and comes back. */
export function callLog(log: Log, clock: Clock): (note: CallNote) => void {
  const awaySince = new Map<string, number>()
  return ({ service, method, origin, path, attempt, status, problem, took, requestId, answeredId }) => {
    const fields = { service, method, path, attempt, status, took, requestId, answeredId }
    if (status === null) {
      if (awaySince.has(origin)) return
      awaySince.set(origin, clock.now())
      log.warn({ ...fields, origin, problem }, 'a service of the cloud does not answer')
      return
    }
    const since = awaySince.get(origin)
    if (since !== undefined) {
      awaySince.delete(origin)
      log.info({ service, origin, wasAwayMs: clock.now() - since }, 'a service of the cloud answers again')
    }
    if (status >= 500) log.warn(fields, 'a service of the cloud failed')
    else if (took >= slowMs) log.info(fields, 'a service of the cloud was slow')
  }
}
