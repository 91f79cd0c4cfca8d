import { canonicalFields } from '@gantry/control'
import { Fault } from '@gantry/kernel'

/** A JSON body with its fields in the API's spelling, whatever case they were sent in. Throws `request.invalid` for what is no object. */
export function canonicalBody(body: unknown, known: readonly string[]): Record<string, unknown> {
  if (body === undefined || body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body) || 'pipe' in body) {
    throw new Fault('request.invalid', {
      problem: 'The request body must be a JSON object (Content-Type: application/json).',
    })
  }
  const fields = Object.entries(canonicalFields(known, body as Record<string, unknown>))
  // Go writes null for what was not said.
  return Object.fromEntries(fields.filter(([, value]) => value !== null))
}
