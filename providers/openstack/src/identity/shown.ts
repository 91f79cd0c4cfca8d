import type { Asker } from '@gantry/control'
import { Fault, type Secret } from '@gantry/kernel'

/** The token that was authenticated. Throws `auth.required` for somebody whom another identity provider told of. */
export function shownBy({ shown }: Asker): Secret {
  if (shown) return shown
  throw new Fault('auth.required', { reason: 'Keystone must be shown a token' })
}
