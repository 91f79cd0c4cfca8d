import type { FaultKind } from '@gantry/kernel'

/** The HTTP status of a fault's kind, for façades whose contract asks for nothing else. */
export const statusOfKind: Readonly<Record<FaultKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'over-quota': 403,
  'too-many': 429,
  'too-large': 413,
  unsupported: 501,
  unavailable: 503,
  internal: 500,
}
