import { Fault } from '@gantry/kernel'
import type { Caller, Registry, RegistryId } from '@gantry/model'
import type { NewRegistry, Registries } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { Tables } from '../ports/store.ts'
import { requireAdminFor } from './find-container.ts'
import { checkRegistry } from './registry-rules.ts'

/** Of one project; enough for people, and a bound on what a list answers. */
const maxRegistries = 50

export function registryUseCases({ store, secrets, clock, ids }: Deps): Registries {
  return {
    async create(caller, input) {
      checkRegistry(input)
      const now = clock.now()
      const registry: Registry = {
        id: ids.uuid() as RegistryId,
        projectId: caller.projectId,
        userId: caller.userId,
        name: input.name ?? input.domain,
        domain: input.domain,
        username: input.username,
        sealedPassword: input.password === null ? null : secrets.seal(input.password),
        createdAt: now,
        updatedAt: now,
      }
      await store.transaction(async ({ registries }) => {
        const used = await registries.countOf(caller.projectId)
        if (used >= maxRegistries) {
          throw new Fault('quota.exceeded', { resource: 'registries', used, limit: maxRegistries, asked: 1 })
        }
        await registries.insert(registry)
      })
      return registry
    },
    async list(caller, { allProjects = false } = {}) {
      requireAdminFor(caller, allProjects, 'Listing all projects')
      return store.registries.list(allProjects ? null : caller.projectId)
    },
    get: (caller, ref) => findRegistry(store, caller, ref),
    update: (caller, ref, change) =>
      store.transaction(async (tables) => {
        const before = await findRegistry(tables, caller, ref)
        const after = changed(before, change, secrets, clock.now())
        await tables.registries.update(before.id, after)
        return after
      }),
    delete: (caller, ref) =>
      store.transaction(async (tables) => {
        const { id } = await findRegistry(tables, caller, ref)
        await tables.registries.remove(id)
      }),
  }
}

/** Where a new container's image comes from, and what its host needs to log in there. */
export interface RegistryAuth {
  readonly registryId: RegistryId
  /** JSON of domain, username and password, encrypted; null: the registry asks nobody who they are. */
  readonly sealedRegistryAuth: string | null
  /** Goes before the image's name, with a slash. */
  readonly imagePrefix: string
}

/** For a registry of the caller's own project only: an administrator does not pull with a tenant's password. */
export async function sealedAuthFor(
  tables: Pick<Tables, 'registries'>,
  secrets: Secrets,
  caller: Caller,
  ref: string,
): Promise<RegistryAuth> {
  const { id, domain, username, sealedPassword } = only(await tables.registries.find(caller.projectId, ref), ref)
  if (username === null) return { registryId: id, sealedRegistryAuth: null, imagePrefix: domain }
  const password = sealedPassword === null ? '' : secrets.open(sealedPassword)
  const sealedRegistryAuth = secrets.seal(JSON.stringify({ domain, username, password }))
  return { registryId: id, sealedRegistryAuth, imagePrefix: domain }
}

/** As with containers: members see their project, an administrator reaches every other one by id only. */
async function findRegistry(tables: Pick<Tables, 'registries'>, caller: Caller, ref: string): Promise<Registry> {
  const own = await tables.registries.find(caller.projectId, ref)
  const others = own.length > 0 || !caller.isAdmin ? [] : await tables.registries.find(null, ref)
  return only(own.length > 0 ? own : others.filter(({ id }) => id === ref), ref)
}

function only([first, second]: readonly Registry[], ref: string): Registry {
  if (!first) throw new Fault('registry.not-found', { ref })
  if (second) throw new Fault('registry.ambiguous', { name: ref })
  return first
}

function changed(before: Registry, change: Partial<NewRegistry>, secrets: Secrets, now: number): Registry {
  const { domain = before.domain, username = before.username } = change
  // Nobody reads a password by sending it to a server of his own.
  if (domain !== before.domain && before.sealedPassword !== null && change.password === undefined) {
    throw new Fault('request.invalid', {
      problem: `The password is kept for ${before.domain} only; give it again to use it with ${domain}.`,
    })
  }
  const keep = change.password === undefined && username !== null ? before.sealedPassword : null
  checkRegistry({ name: change.name ?? null, domain, username, password: change.password ?? null })
  return {
    ...before,
    name: change.name === undefined ? before.name : (change.name ?? domain),
    domain,
    username,
    sealedPassword: typeof change.password === 'string' ? secrets.seal(change.password) : keep,
    updatedAt: now,
  }
}
