import { randomIds } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'

const pattern = /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * A fresh `req-<uuid>` for each request. One that the caller brought (`X-Openstack-Request-Id`) is not taken over, because
 * actions are looked up by it and a client could shadow another's.
 */
export function requestIdOf(): RequestId {
  return `req-${randomIds.uuid()}` as RequestId
}

export function isRequestId(text: string): text is RequestId {
  return pattern.test(text)
}
