import { orAborted } from '@gantry/kernel'
import type { Context } from '../call.ts'
import { isOpenStackError, OpenStackError } from '../openstack-error.ts'
import type { AccessRule, AccessRuleCreate, ExportLocation, ShareService } from './share.ts'

/** Milliseconds between looks at a rule that Manila is still applying. */
const lookMs = 300

export interface AccessWish {
  readonly shareId: string
  readonly rule: AccessRuleCreate
  /** Of a rule that is there already, for the same client: it may be taken away. */
  readonly isOurs: (rule: AccessRule) => boolean
  /** Who takes a rule away that is not ours when he likes, in words; null: nobody that we know of. */
  readonly owner?: (rule: AccessRule) => string | null
  /** The id of a rule that was made, before it is waited for. */
  readonly made?: (ruleId: string) => Promise<void>
}

/**
 * Lets a client at a share, and resolves once the storage has done so; with the rule that is in force, which may be somebody
 * else's. May be repeated. What could not be applied is taken away again, if it is ours. Throws `OpenStackError` 409 with a
 * sentence.
 */
export async function grantAccess(
  service: ShareService,
  { shareId, rule: wanted, isOurs, owner = () => null, made }: AccessWish,
  context: Context,
): Promise<AccessRule> {
  let mine: string | null = null
  for (;;) {
    const rules = await rulesOf(service, shareId, context)
    if (rules === null) throw refusal(shareId, `share ${shareId} could not be found`, 404)
    const found = rules.find((one) => one.access_type === wanted.access_type && one.access_to === wanted.access_to)
    if (!found) {
      const rule = await allowed(service, shareId, wanted, context)
      if (rule) {
        mine = rule.id
        await made?.(rule.id)
      }
    } else if (found.state === 'active') {
      const other = isOurs(found) ? null : owner(found)
      // It would end under the feet of whoever uses the share by it.
      if (other !== null) throw refusal(shareId, `${other} has let ${found.access_to} at the share already`)
      if (suffices(found, wanted)) return found
      if (!isOurs(found)) {
        const { access_level: level, access_to: to } = found
        throw refusal(shareId, `somebody lets ${to} at the share as ${level} only; take that access rule away`)
      }
      await revokeAccess(service, shareId, found.id, context)
    } else if (found.state === 'error') {
      const { access_to: to } = found
      const ours = found.id === mine || isOurs(found)
      if (ours) await revokeAccess(service, shareId, found.id, context)
      if (found.id === mine || !ours) throw refusal(shareId, `its storage does not let ${to} at the share`)
    }
    await pause(context)
  }
}

/**
 * Takes an access rule away, and resolves once the storage has done so. May be repeated; false: there was none. Throws
 * `OpenStackError` 409 if the storage did not do it.
 */
export async function revokeAccess(
  service: ShareService,
  shareId: string,
  ruleId: string,
  context: Context,
): Promise<boolean> {
  if (!(await service.access.deny(shareId, ruleId, context))) return false
  for (;;) {
    const rules = await rulesOf(service, shareId, context)
    const rule = rules?.find(({ id }) => id === ruleId)
    if (!rule) return true
    if (rule.state === 'error') {
      throw refusal(shareId, `its storage did not take away the access of ${rule.access_to} to the share`)
    }
    await pause(context)
  }
}

/** The access rules of a share; null: there is no such share. */
export async function rulesOf(
  service: ShareService,
  shareId: string,
  context: Context,
): Promise<readonly AccessRule[] | null> {
  try {
    return await service.access.list(shareId, context)
  } catch (error) {
    if (isOpenStackError(error, 404)) return null
    // That is how Manila says that there is no such share.
    if (isOpenStackError(error, 400) && /not found/i.test(error.reason)) return null
    throw error
  }
}

/** In the metadata of rules: those of Gantry's server, by the claim, and those of its Docker plugin, by the host. */
export const accessMarks = { server: 'gantry_owner', plugin: 'fuxi_host' } as const

/** As `AccessWish.owner`, by the marks. Pure. */
export function markedOwner({ metadata }: AccessRule): string | null {
  if (metadata?.[accessMarks.server] !== undefined) return 'a Gantry server'
  return metadata?.[accessMarks.plugin] === undefined ? null : 'the Docker volume plugin'
}

/** The one to mount from: what Manila prefers, else the first; null: there is none yet. Pure. */
export function bestLocation(locations: readonly ExportLocation[]): string | null {
  return (locations.find(({ preferred }) => preferred === true) ?? locations[0])?.path ?? null
}

/** null: there is one by now. */
async function allowed(
  service: ShareService,
  shareId: string,
  wanted: AccessRuleCreate,
  context: Context,
): Promise<AccessRule | null> {
  try {
    return await service.access.allow(shareId, wanted, context)
  } catch (error) {
    if (isOpenStackError(error) && [400, 409].includes(error.status ?? 0) && /exists/i.test(error.reason)) return null
    throw error
  }
}

function suffices(
  { access_level: has = 'rw' }: AccessRule,
  { access_level: needed = 'rw' }: AccessRuleCreate,
): boolean {
  return has === needed || has === 'rw'
}

function refusal(shareId: string, reason: string, status = 409): OpenStackError {
  return new OpenStackError({ failure: 'answer', service: 'share', path: `/shares/${shareId}`, status, reason })
}

function pause({ signal }: Context): Promise<void> {
  return orAborted(new Promise((resolve) => setTimeout(resolve, lookMs)), signal)
}
