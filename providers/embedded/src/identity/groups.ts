import type { Group, Groups, NewGroup } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { collection } from './collection.ts'
import { domainOf } from './owners.ts'
import { newId, type Parts, revoking } from './parts.ts'
import { found, requireAdmin, requireSelfOrAdmin } from './policy.ts'
import { subject } from './tokens.ts'

export function groups(parts: Parts): Groups {
  const { store, ids, box } = parts
  const base = collection<Group, NewGroup>(parts, {
    type: 'group',
    table: store.groups,
    async make(asker, { name, description = '', domainId = domainOf(asker) }) {
      await found(store.domains.get(domainId), 'domain', domainId)
      return { id: newId(ids), name, domainId, description }
    },
    async change(current, { domainId = current.domainId, ...change }) {
      if (domainId !== current.domainId) {
        throw new Fault('request.invalid', { problem: 'A group cannot move to another domain.' })
      }
      return change
    },
    async removing({ id }) {
      return (await store.members.users(id)).map((user) => subject.user(user.id))
    },
  })
  const pair = async (groupId: string, userId: string) => {
    await found(store.groups.get(groupId), 'group', groupId)
    await found(store.users.get(userId), 'user', userId)
  }
  return {
    ...base,
    async members(asker, groupId) {
      requireAdmin(asker, 'Listing a group’s users')
      await found(store.groups.get(groupId), 'group', groupId)
      return store.members.users(groupId)
    },
    async addMember(asker, groupId, userId) {
      requireAdmin(asker, 'Adding a user to a group')
      await pair(groupId, userId)
      await store.members.add(groupId, userId)
    },
    async removeMember(asker, groupId, userId) {
      requireAdmin(asker, 'Removing a user from a group')
      await pair(groupId, userId)
      const removed = await revoking(box, [subject.user(userId)], () => store.members.remove(groupId, userId))
      if (!removed) throw new Fault('identity.not-found', { type: 'user in this group', ref: userId })
    },
    async hasMember(asker, groupId, userId) {
      requireSelfOrAdmin(asker, userId, 'Checking a group’s users')
      return store.members.has(groupId, userId)
    },
  }
}
