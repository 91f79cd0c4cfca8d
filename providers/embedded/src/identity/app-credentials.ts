import type {
  AppCredentials,
  Asker,
  NamedAppCredential,
  NewAppCredential,
  Role,
  StoredAppCredential,
  TokenScope,
} from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { newId, type Parts, revoking } from './parts.ts'
import { found, requireSelf, requireSelfOrAdmin, requireUnrestricted } from './policy.ts'
import { subject } from './tokens.ts'

export function appCredentials(parts: Parts): AppCredentials {
  const { store, ids, passwords, box } = parts
  const get = async (userId: string, id: string) => {
    const credential = await store.appCredentials.get(id)
    const own = credential?.userId === userId ? credential : undefined
    return found(Promise.resolve(own), 'application credential', id)
  }
  return {
    async create(asker, userId, input) {
      requireSelf(asker, userId, 'Creating this application credential')
      requireUnrestricted(asker, 'Creating an application credential')
      const secret = input.secret ?? ids.hex(43)
      const credential: StoredAppCredential = {
        id: newId(ids),
        name: input.name,
        userId,
        projectId: projectOf(asker.token.scope),
        description: input.description ?? '',
        roleIds: chooseRoles(asker, input.roles),
        expiresAt: futureOf(input.expiresAt ?? null, parts.clock.now()),
        unrestricted: input.unrestricted ?? false,
        secretHash: await passwords.hash(secret),
      }
      await store.appCredentials.insert(credential)
      return { credential: await withRoles(parts, credential), secret }
    },
    async list(asker, userId, filter) {
      requireSelfOrAdmin(asker, userId, 'Listing these application credentials')
      const all = await store.appCredentials.list({ userId, ...filter })
      return Promise.all(all.map((credential) => withRoles(parts, credential)))
    },
    async get(asker, userId, id) {
      requireSelfOrAdmin(asker, userId, 'Reading this application credential')
      return withRoles(parts, await get(userId, id))
    },
    async remove(asker, userId, id) {
      requireSelfOrAdmin(asker, userId, 'Deleting this application credential')
      requireUnrestricted(asker, 'Deleting an application credential')
      await get(userId, id)
      await revoking(box, [subject.appCredential(id)], () => store.appCredentials.remove(id))
    },
  }
}

function projectOf(scope: TokenScope): string {
  if (scope.kind === 'project') return scope.project.id
  throw new Fault('request.invalid', { problem: 'An application credential needs a token scoped to a project.' })
}

/** Only roles that the token has: nobody hands on more than her own. */
function chooseRoles({ token }: Asker, wanted: NewAppCredential['roles']): string[] {
  if (!wanted || wanted.length === 0) return token.roles.map(({ id }) => id)
  return wanted.map((ref) => {
    const role = token.roles.find(({ id, name }) => ('id' in ref ? ref.id === id : ref.name === name))
    if (role) return role.id
    const wish = 'id' in ref ? ref.id : ref.name
    throw new Fault('request.invalid', { problem: `The token does not have the role ${wish}.` })
  })
}

function futureOf(expiresAt: number | null, now: number): number | null {
  if (expiresAt === null || expiresAt > now) return expiresAt
  throw new Fault('request.invalid', { problem: 'expires_at must be in the future.' })
}

async function withRoles({ store }: Parts, stored: StoredAppCredential): Promise<NamedAppCredential> {
  const { secretHash: _hidden, ...credential } = stored
  const roles = await Promise.all(credential.roleIds.map((id) => store.roles.get(id)))
  return { ...credential, roles: roles.filter((role): role is Role => role !== undefined) }
}
