import type { Digest } from '@gantry/model'
import { mayChange } from '../../policy/roles.ts'
import type { RegistryVerbs } from '../../registry-verbs.ts'
import { requireAdminFor } from '../find-container.ts'
import { hostRepositories } from './host-repository.ts'
import { listingOf } from './listing.ts'
import { placeOf } from './place.ts'
import { provenanceOf } from './provenance.ts'
import { tenantRepository } from './repository.ts'
import type { RegistryDeps } from './registry-deps.ts'

/** What only a registry shows of the catalogue, to clients of registries and to hosts. */
export function registryVerbs(deps: RegistryDeps): RegistryVerbs {
  return {
    repository: (caller, name) => tenantRepository(deps, caller, name),
    forHost: hostRepositories(deps),
    async mayPush(caller, name) {
      return mayChange(caller) && (await placeOf(deps, name)).projectId === caller.projectId
    },
    ...listingOf(deps),
    async sweep(caller, signal) {
      requireAdminFor(caller, true, 'Sweeping the image store')
      return deps.catalogue.sweep(signal)
    },
    async verify(caller, signal) {
      requireAdminFor(caller, true, 'Verifying the image store')
      const corrupt: Digest[] = []
      let checked = 0
      for await (const { digest } of deps.blobs.blobs()) {
        checked += 1
        if ((await deps.blobs.verify(digest, signal)) === 'corrupt') corrupt.push(digest)
      }
      return { checked, corrupt }
    },
    provenance: (caller, image) => provenanceOf(deps, caller, image),
  }
}
