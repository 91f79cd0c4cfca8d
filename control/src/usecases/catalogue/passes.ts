import { Fault } from '@gantry/kernel'
import type { Caller, Digest, HostId, ProjectId } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import type { Secrets } from '../../ports/secrets.ts'

/** What a host may do at our registry. Engines show a pass as a password, and it is good for the host that it names. */
export type Pass = ReadPass | UpstreamPass | WritePass

/** Reads one manifest and all that it is made of. */
export interface ReadPass {
  readonly kind: 'read'
  readonly hostId: HostId
  readonly digest: Digest
}

/** Reads an image of another registry through us, for a project. */
export interface UpstreamPass {
  readonly kind: 'upstream'
  readonly hostId: HostId
  readonly projectId: ProjectId
  readonly name: ImageName
  /** JSON of domain, username and password, encrypted; null: the registry is not told who asks. */
  readonly sealedLogin: string | null
}

/** Pushes for a project, into no repository. */
export interface WritePass {
  readonly kind: 'write'
  readonly hostId: HostId
  readonly caller: Caller
  /** Epoch milliseconds. */
  readonly until: number
}

export function sealPass(secrets: Secrets, pass: Pass): string {
  return secrets.seal(JSON.stringify({ pass }))
}

/** Throws `auth.required` for what is no pass of this host's, or one that has ended by `now`. */
export function openPass(secrets: Secrets, hostId: HostId, sealed: string, now: number): Pass {
  const pass = opened(secrets, sealed)
  if (pass?.hostId !== hostId) throw refused('this password is no pass of this host')
  if (pass.kind === 'write' && pass.until <= now) throw refused('the time to push this image is over')
  return pass
}

/** Other secrets of the server's are sealed with the same key, so that what is inside says that it is a pass. */
function opened(secrets: Secrets, sealed: string): Pass | null {
  try {
    const { pass } = JSON.parse(secrets.open(sealed)) as { readonly pass?: Pass }
    return pass ?? null
  } catch {
    return null
  }
}

function refused(reason: string): Fault {
  return new Fault('auth.required', { reason })
}
