import { Fault } from '@gantry/kernel'
import { faultOf, isOpenStackError, type OpenStackError } from '@gantry/openstack'
import type { About } from './cinder-faults.ts'

/** Runs calls to Manila; its refusals become faults of ours. */
export async function askingManila<T>(about: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isOpenStackError(error) ? shareFault(error, about) : error
  }
}

/** As `askingManila`, but null where it knows of no such thing. */
export async function manilaOrNull<T>(about: About, work: () => Promise<T>): Promise<T | null> {
  return askingManila(about, () =>
    work().catch((error: unknown) => {
      if (isOpenStackError(error, 404)) return null
      throw error
    }),
  )
}

/** Pure. Manila says by its words alone that something is in the wrong state, as a 400, a 403 or a 409. */
export function shareFault(error: OpenStackError, { type, ref }: About): Fault {
  const { status, reason } = error
  if (status === 404) return new Fault('volume.not-found', missing(error, { type, ref }), error)
  if (/^invalid share( snapshot)?:|status must be|dependent|current status is/i.test(reason)) {
    return new Fault('volume.in-use', { type, ref, reason: sentence(reason) }, error)
  }
  return faultOf(error)
}

/** Some releases forget to fill their message in; they say so of what still has snapshots, or belongs to a group. */
function sentence(reason: string): string {
  const text = reason.replace(/^invalid share( snapshot)?:\s*/i, '').replace(/\.+$/, '')
  return text.includes('%(') ? 'Manila does not do this now; it may have snapshots' : text
}

/** It need not be what the call was for: a share cannot be made of a type that is not there. */
function missing({ reason }: OpenStackError, { type, ref }: About): About & Record<string, string> {
  const [, sort] = /\b(share type|share network|availability zone|snapshot|share)\b/i.exec(reason) ?? []
  if (sort === undefined || sort.toLowerCase() === type) return { type, ref }
  return { type: sort.toLowerCase(), ref: `that share ${ref} is to have` }
}
