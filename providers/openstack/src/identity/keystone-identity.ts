import type { IdentityProvider, Log } from '@gantry/control'
import { type Clock, Fault, Secret } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import { allOf, identityService, type TokenInfo } from '@gantry/openstack'
import type { OpenAccess } from '../open-access.ts'
import { keystoneAppCredentials } from './app-credentials.ts'
import { asIdentityFault, cannotAsk } from './keystone-errors.ts'
import { logIns } from './log-ins.ts'
import { projectOf } from './projects.ts'
import { shownBy } from './shown.ts'
import { callerOfToken, hasRole, isAdmin, tokenInfoOf } from './token-facts.ts'
import { validator } from './validator.ts'

export interface KeystoneIdentityParts {
  readonly access: OpenAccess
  readonly clock: Clock
  readonly log: Log
}

/**
 * People as Keystone knows them. What it said of a token counts for five minutes at most: so long a revocation may go
 * unnoticed, and so long tokens go on working when Keystone does not answer.
 */
export function keystoneIdentity({ access, clock, log }: KeystoneIdentityParts): IdentityProvider {
  const tokens = validator({ access, clock, log })

  /** Another service may bring to its end what a user began with a token whose time is over by now. */
  async function vouchedFor(token: string, serviceToken: string, requestId: RequestId): Promise<TokenInfo> {
    const service = await tokens.open(serviceToken, requestId)
    if (hasRole(service, 'service')) return tokens.openExpired(token, requestId)
    throw new Fault('auth.required', {
      reason: 'the service that vouches for the token does not have the role service',
    })
  }

  return {
    async verify(token, requestId, serviceToken) {
      const said = await tokens.open(token, requestId).catch((error: unknown) => {
        if (serviceToken === undefined || !isRequired(error)) throw error
        return vouchedFor(token, serviceToken, requestId)
      })
      return callerOfToken(token, said, requestId)
    },
    async follow(token) {
      const was = await tokens.open(token)
      return () => tokens.stands(token, was)
    },
    onRevoked: (listener) => access.known.onDrop(() => listener(false)),
    async authenticate(token, requestId) {
      const said = await tokens.open(token, requestId)
      return { token: tokenInfoOf(said), isAdmin: isAdmin(said), requestId, shown: new Secret(token) }
    },
    tokens: {
      issue: logIns({
        access,
        clock,
        infoOf: async (token) => tokenInfoOf(await tokens.open(token)),
        failureOf: (error) => cannotAsk(error, log),
      }),
      async projects(asker) {
        const keystone = identityService(access.of({ token: shownBy(asker) }))
        try {
          const all = await allOf(keystone.ownProjects(access.contextOf(asker)))
          return all.filter(({ enabled }) => enabled).map(projectOf)
        } catch (error) {
          throw asIdentityFault(error, 'Listing projects', '')
        }
      },
      async revoke(asker, token) {
        const keystone = identityService(access.of({ token: shownBy(asker) }))
        try {
          if (await keystone.revoke(token, access.contextOf(asker))) return
        } catch (error) {
          throw asIdentityFault(error, 'Revoking a token', '')
        } finally {
          // Also where Keystone did not answer: this server need not go on taking what its user is done with.
          access.known.drop(token)
        }
        throw new Fault('identity.not-found', { type: 'token', ref: 'the one to be revoked' })
      },
    },
    appCredentials: keystoneAppCredentials(access),
  }
}

function isRequired(error: unknown): boolean {
  return error instanceof Fault && error.code === 'auth.required'
}
