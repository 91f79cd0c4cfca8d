import type { Registries } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Registry, RegistryId } from '@gantry/model'
import { fakeNow } from './fake-data.ts'

/** Registries in memory; a password is "sealed" by turning it around. */
export function fakeRegistries(): Registries {
  const rows = new Map<RegistryId, Registry>()
  const seal = (password: string | null) => (password === null ? null : password.split('').reverse().join(''))
  const find = (caller: Caller, ref: string): Registry => {
    const mine = [...rows.values()].filter(({ projectId }) => projectId === caller.projectId)
    const [one, two] = mine.filter(({ id, name }) => id === ref || name === ref)
    if (!one) throw new Fault('registry.not-found', { ref })
    if (two) throw new Fault('registry.ambiguous', { name: ref })
    return one
  }
  return {
    async create(caller, { name, domain, username, password }) {
      const id = `00000000-0000-4000-a000-${(rows.size + 1).toString(16).padStart(12, '0')}` as RegistryId
      const registry: Registry = {
        id,
        projectId: caller.projectId,
        userId: caller.userId,
        name: name ?? domain,
        domain,
        username,
        sealedPassword: seal(password),
        createdAt: fakeNow,
        updatedAt: fakeNow,
      }
      rows.set(id, registry)
      return registry
    },
    list: async (caller, options) =>
      [...rows.values()].filter(({ projectId }) => options?.allProjects === true || projectId === caller.projectId),
    get: async (caller, ref) => find(caller, ref),
    async update(caller, ref, { password, name, ...change }) {
      const registry = find(caller, ref)
      const sealed = password === undefined ? {} : { sealedPassword: seal(password) }
      const changed = { ...registry, ...change, ...sealed, name: name ?? registry.name, updatedAt: fakeNow + 1000 }
      rows.set(registry.id, changed)
      return changed
    },
    delete: async (caller, ref) => void rows.delete(find(caller, ref).id),
  }
}
