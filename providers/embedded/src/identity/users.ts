import type { NewUser, User, Users } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { collection } from './collection.ts'
import { provePassword } from './log-in.ts'
import { domainOf } from './owners.ts'
import { newId, type Parts, revoking } from './parts.ts'
import { found, requireSelf, requireSelfOrAdmin } from './policy.ts'
import { subject } from './tokens.ts'
import { projectsOf } from './token-service.ts'

export function users(parts: Parts): Users {
  const { store, ids, box } = parts
  const base = collection<User, NewUser>(parts, {
    type: 'user',
    table: store.users,
    readable: async (asker, id) => asker.token.user.id === id,
    async make(asker, { password: _kept, domainId = domainOf(asker), ...input }) {
      await found(store.domains.get(domainId), 'domain', domainId)
      await checkProject(parts, input.defaultProjectId)
      const defaults = { defaultProjectId: null, email: null, description: '', enabled: true }
      return { id: newId(ids), domainId, ...defaults, ...input }
    },
    async change(current, { password: _kept, domainId = current.domainId, ...change }) {
      if (domainId !== current.domainId) {
        throw new Fault('request.invalid', { problem: 'A user cannot move to another domain.' })
      }
      await checkProject(parts, change.defaultProjectId)
      return change
    },
    async settle({ id }, { password }) {
      if (password !== undefined) await setPassword(parts, id, password)
    },
    revokedBy: ({ id }, { password, enabled }) =>
      password !== undefined || enabled === false ? [subject.user(id)] : [],
    removing: async ({ id }) => [subject.user(id)],
  })
  return {
    ...base,
    async changePassword(asker, userId, original, next, address) {
      requireSelf(asker, userId, 'Changing this password')
      await provePassword(parts, await store.users.get(userId), original, `user ${userId} ${address}`)
      await revoking(box, [subject.user(userId)], () => setPassword(parts, userId, next))
    },
    async projects(asker, userId) {
      requireSelfOrAdmin(asker, userId, 'Listing this user’s projects')
      return projectsOf(parts, (await found(store.users.get(userId), 'user', userId)).id)
    },
    async groups(asker, userId) {
      requireSelfOrAdmin(asker, userId, 'Listing this user’s groups')
      return store.members.groups((await found(store.users.get(userId), 'user', userId)).id)
    },
  }
}

async function setPassword({ store, passwords, clock }: Parts, userId: string, password: string): Promise<void> {
  await store.passwords.set(userId, await passwords.hash(password), clock.now())
}

async function checkProject({ store }: Parts, id: string | null | undefined): Promise<void> {
  if (id !== null && id !== undefined) await found(store.projects.get(id), 'project', id)
}
