import type { AppCredentials, Asker, NamedAppCredential } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type AppCredential, identityService } from '@gantry/openstack'
import type { OpenAccess } from '../open-access.ts'
import { asIdentityFault } from './keystone-errors.ts'
import { shownBy } from './shown.ts'

/** Application credentials, made and deleted with the token of the user whose they are: nobody else may. */
export function keystoneAppCredentials(
  access: Pick<OpenAccess, 'of' | 'contextOf' | 'known'>,
): Pick<AppCredentials, 'create' | 'remove'> {
  const credentialsOf = (asker: Asker, userId: string) =>
    identityService(access.of({ token: shownBy(asker) })).appCredentials(userId)
  return {
    async create(asker, userId, { name, description, secret, roles, expiresAt, unrestricted }) {
      try {
        const made = await credentialsOf(asker, userId).create(
          {
            name,
            ...(description !== undefined && { description }),
            ...(secret !== undefined && { secret }),
            ...(roles && roles.length > 0 && { roles: [...roles] }),
            ...(typeof expiresAt === 'number' && { expires_at: new Date(expiresAt).toISOString() }),
            ...(unrestricted !== undefined && { unrestricted }),
          },
          access.contextOf(asker),
        )
        return { credential: inOurWords(made, userId), secret: made.secret ?? secret ?? '' }
      } catch (error) {
        throw asIdentityFault(error, 'Creating an application credential', name)
      }
    },
    async remove(asker, userId, id) {
      const removed = credentialsOf(asker, userId).remove(id, access.contextOf(asker))
      const wasThere = await removed.catch((error: unknown) => {
        throw asIdentityFault(error, 'Deleting an application credential', id)
      })
      access.known.dropWhere((info) => info.application_credential?.id === id)
      if (!wasThere) throw new Fault('identity.not-found', { type: 'application credential', ref: id })
    },
  }
}

function inOurWords(said: AppCredential, userId: string): NamedAppCredential {
  const roles = said.roles.map(({ id, name }) => ({ id, name, description: null }))
  return {
    id: said.id,
    name: said.name,
    userId,
    projectId: said.project_id,
    description: said.description ?? '',
    roleIds: roles.map(({ id }) => id),
    roles,
    expiresAt: said.expires_at ? Date.parse(zoned(said.expires_at)) : null,
    unrestricted: said.unrestricted === true,
  }
}

/** Keystone leaves out here that it is UTC. */
function zoned(time: string): string {
  return /(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`
}
