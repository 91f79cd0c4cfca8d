import type { Caller } from '@gantry/model'
import type { Context, Session } from '@gantry/openstack'

/** How the providers reach the cloud's services. */
export interface CloudAccess {
  /**
   * Gantry's own service user: for what users have no right to (binding ports, finding what a crash has left), and for what
   * happens when no user is there any more.
   */
  readonly service: Session
  /**
   * With the caller's own token. Throws `auth.required` if she came without one. Near the end of the token and after it the
   * service user vouches for it (`X-Service-Token`), so that what was begun in time can be brought to its end.
   */
  of(caller: Pick<Caller, 'token'>): Session
  /** For one call on somebody's errand: her request id, and a bound on how long all tries of it may take. */
  contextOf(caller: Partial<Pick<Caller, 'requestId'>>): Context
  /** The same for what happens by itself. */
  ownContext(): Context
}
