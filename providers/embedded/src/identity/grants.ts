import type { Grant, GrantActor, GrantQuery, Grants, GrantTarget, Named, NamedGrant } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type Parts, revoking } from './parts.ts'
import { found, requireAdmin, requireSelfOrAdmin } from './policy.ts'
import { named } from './scopes.ts'
import { subject } from './tokens.ts'

export function grants(parts: Parts): Grants {
  const { store, box } = parts
  return {
    async add(asker, grant) {
      requireAdmin(asker, 'Granting a role')
      await checkParts(parts, grant)
      await store.grants.add(grant)
    },
    async remove(asker, grant) {
      requireAdmin(asker, 'Taking a role away')
      await checkParts(parts, grant)
      const holders =
        grant.actor.kind === 'user' ? [grant.actor.id] : (await store.members.users(grant.actor.id)).map(({ id }) => id)
      const subjects = holders.map((id) => subject.grant(id, grant.target))
      if (await revoking(box, subjects, () => store.grants.remove(grant))) return
      throw new Fault('identity.not-found', { type: 'role assignment with role', ref: grant.roleId })
    },
    async has(asker, grant) {
      requireAdmin(asker, 'Checking a role')
      await checkParts(parts, grant)
      return store.grants.has(grant)
    },
    async roles(asker, actor, target) {
      requireAdmin(asker, 'Listing roles')
      await checkActor(parts, actor)
      await checkTarget(parts, target)
      const held = await store.grants.list({ ...actorFilter(actor), target })
      return Promise.all(held.map(({ roleId }) => found(store.roles.get(roleId), 'role', roleId)))
    },
    async list(asker, query) {
      if (query.actor?.kind === 'user') requireSelfOrAdmin(asker, query.actor.id, 'Listing role assignments')
      else requireAdmin(asker, 'Listing role assignments')
      return nameAll(parts, await select(parts, query))
    },
  }
}

async function select({ store }: Parts, { actor, target, roleId, effective }: GrantQuery): Promise<Grant[]> {
  const filter = { ...(target && { target }), ...(roleId !== undefined && { roleId }) }
  if (!effective) return store.grants.list({ ...(actor && actorFilter(actor)), ...filter })
  const expanded: Grant[] = []
  for (const grant of await store.grants.list(filter)) {
    if (grant.actor.kind === 'user') expanded.push(grant)
    else {
      const members = await store.members.users(grant.actor.id)
      expanded.push(...members.map(({ id }) => ({ ...grant, actor: { kind: 'user' as const, id } })))
    }
  }
  const once = new Map(expanded.map((grant) => [JSON.stringify([grant.actor, grant.target, grant.roleId]), grant]))
  return [...once.values()].filter(
    (grant) => actor === undefined || (grant.actor.kind === actor.kind && grant.actor.id === actor.id),
  )
}

function actorFilter({ kind, id }: GrantActor): { userId: string } | { groupId: string } {
  return kind === 'user' ? { userId: id } : { groupId: id }
}

async function checkParts(parts: Parts, { actor, target, roleId }: Grant): Promise<void> {
  await checkActor(parts, actor)
  await checkTarget(parts, target)
  await found(parts.store.roles.get(roleId), 'role', roleId)
}

async function checkActor({ store }: Parts, { kind, id }: GrantActor): Promise<void> {
  if (kind === 'user') await found(store.users.get(id), 'user', id)
  else await found(store.groups.get(id), 'group', id)
}

async function checkTarget({ store }: Parts, { kind, id }: GrantTarget): Promise<void> {
  if (kind === 'project') await found(store.projects.get(id), 'project', id)
  if (kind === 'domain') await found(store.domains.get(id), 'domain', id)
}

/** Each thing is looked up once however many grants speak of it; what vanished meanwhile is left out. */
async function nameAll({ store }: Parts, all: readonly Grant[]): Promise<NamedGrant[]> {
  const known = new Map<string, Promise<Named | undefined>>()
  const once = <T extends Named>(key: string, load: () => Promise<T | undefined>) => {
    const loading = known.get(key) ?? load()
    known.set(key, loading)
    return loading as Promise<T | undefined>
  }
  const domain = (id: string) => once(`domain ${id}`, () => store.domains.get(id))
  const withDomain = async (entity: (Named & { readonly domainId: string }) | undefined) => {
    const owner = entity && (await domain(entity.domainId))
    return entity && owner && { ...named(entity), domain: named(owner) }
  }
  const actorOf = async ({ kind, id }: GrantActor) =>
    kind === 'user'
      ? withDomain(await once(`user ${id}`, () => store.users.get(id)))
      : withDomain(await once(`group ${id}`, () => store.groups.get(id)))
  const targetOf = async ({ kind, id }: GrantTarget) => {
    if (kind === 'project') return withDomain(await once(`project ${id}`, () => store.projects.get(id)))
    const entity = kind === 'domain' ? await domain(id) : undefined
    return entity && { ...named(entity), domain: null }
  }
  const result: NamedGrant[] = []
  for (const grant of all) {
    const role = await once(`role ${grant.roleId}`, () => store.roles.get(grant.roleId))
    const actor = await actorOf(grant.actor)
    const target = (await targetOf(grant.target)) ?? null
    if (role && actor && (target || grant.target.kind === 'system')) {
      result.push({ grant, role: named(role), actor, target })
    }
  }
  return result
}
