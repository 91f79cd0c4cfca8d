import { Fault } from '@gantry/kernel'
import { faultOf, isOpenStackError, type OpenStackError } from '@gantry/openstack'

/** What a call was about, for the person who reads that it failed. */
export interface About {
  /** `volume`, `snapshot`, `backup`, `volume type` */
  readonly type: string
  /** As it was asked for. */
  readonly ref: string
}

/** Runs calls to a service that keeps volumes; its refusals become faults of ours. */
export async function asking<T>(about: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isOpenStackError(error) ? volumeFault(error, about) : error
  }
}

/** As `asking`, but null where the service knows of no such thing. */
export async function orNull<T>(about: About, work: () => Promise<T>): Promise<T | null> {
  return asking(about, () =>
    work().catch((error: unknown) => {
      if (isOpenStackError(error, 404)) return null
      throw error
    }),
  )
}

/** Cinder has one status for all mistakes: what is in the wrong state is told by its words. */
function volumeFault(error: OpenStackError, { type, ref }: About): Fault {
  const { status, reason } = error
  if (status === 404) return new Fault('volume.not-found', missing(error, type, ref), error)
  if (status === 400 && isAboutState(reason)) {
    return new Fault('volume.in-use', { type, ref, reason: withoutEnd(reason) }, error)
  }
  return faultOf(error)
}

function isAboutState(reason: string): boolean {
  return /status must be|must be in .*status|must not be|current status is|in-use|dependent|attached/i.test(reason)
}

/** It need not be what the call was for: a volume cannot be made of a type that is not there. */
function missing({ reason }: OpenStackError, type: string, ref: string): { type: string; ref: string } {
  const [, sort, id] = /\b(volume type|snapshot|backup|volume)\b(?: with)?(?: name)?\s+([\w.-]+)/i.exec(reason) ?? []
  if (sort === undefined || id === undefined || sort.toLowerCase() === type) return { type, ref }
  return { type: sort.toLowerCase(), ref: id }
}

/** As the end of a sentence that has its own full stop. */
function withoutEnd(text: string): string {
  return text.replace(/\.+$/, '')
}
