import { randomUUID } from 'node:crypto'
import type { Registries } from '@gantry/control'
import type { Registry, RegistryId } from '@gantry/model'
import { Shelf } from './shelf.ts'

/** Registries in memory; `passwords` is what came in, by id. */
export function fakeRegistries(): { verbs: Registries; passwords: Map<string, string | null> } {
  const shelf = new Shelf<Registry>('registry', 'registry.not-found', ({ name }) => [name])
  const passwords = new Map<string, string | null>()
  const keep = (id: string, password: string | null | undefined) => {
    if (password !== undefined) passwords.set(id, password)
    return passwords.get(id) ? 'sealed' : null
  }
  const verbs: Registries = {
    async create({ projectId, userId }, { name, domain, username, password }) {
      const id = randomUUID() as RegistryId
      const now = Date.now()
      return shelf.add({
        id,
        projectId,
        userId,
        name: name ?? domain,
        domain,
        username,
        sealedPassword: keep(id, password),
        createdAt: now,
        updatedAt: now,
      })
    },
    list: async (caller, { allProjects = false } = {}) => shelf.list(caller, allProjects),
    get: async (caller, ref) => shelf.find(caller, ref),
    async update(caller, ref, { name, password, ...change }) {
      const { id, domain } = shelf.find(caller, ref)
      const renamed = name === undefined ? {} : { name: name ?? domain }
      return shelf.change(caller, id, { ...change, ...renamed, sealedPassword: keep(id, password) })
    },
    delete: async (caller, ref) => void shelf.remove(caller, ref),
  }
  return { verbs, passwords }
}
