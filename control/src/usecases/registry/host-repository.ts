import { Fault } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { RegistryVerbs, Repository } from '../../registry-verbs.ts'
import { createFlights } from '../catalogue/flights.ts'
import { openPass, type ReadPass, type WritePass } from '../catalogue/passes.ts'
import { readingOf } from './reading.ts'
import { ownRepository, refusingAll } from './repository.ts'
import { blindness, type Sight } from './sight.ts'
import { upstreamRepository } from './upstream-repository.ts'
import type { RegistryDeps } from './registry-deps.ts'

/** What hosts read and write: exactly what the pass is for, whatever the repository is called. */
export function hostRepositories(deps: RegistryDeps): RegistryVerbs['forHost'] {
  const fetches = createFlights()
  return (hostId: HostId, sealed: string, name: string) => {
    const pass = openPass(deps.secrets, hostId, sealed, deps.clock.now())
    switch (pass.kind) {
      case 'read':
        return { ...readingOf(deps, name, closureSight(deps, pass)), ...refusingAll(async () => unknown(name)) }
      case 'upstream':
        return upstreamRepository(deps, pass, name, fetches)
      case 'write':
        return writtenRepository(deps, pass, name)
    }
  }
}

function unknown(name: string): Fault {
  return new Fault('repository.unknown', { name })
}

/** One manifest, by its digest, and what it is made of. */
function closureSight({ store }: RegistryDeps, { digest }: ReadPass): Sight {
  const whole = () => store.contents.closure(digest)
  return {
    ...blindness,
    hasManifest: async (wanted) => (await whole()).some((each) => each.digest === wanted),
    hasBlob: async (wanted) => (await whole()).some(({ parts }) => parts.some((part) => part.digest === wanted)),
  }
}

/** What is pushed has no name and no repository. Nothing is taken away. */
function writtenRepository(deps: RegistryDeps, { caller }: WritePass, name: string): Repository {
  const { deleteManifest, deleteBlob } = refusingAll(async () => unknown(name))
  return { ...ownRepository(deps, { caller, repo: '', name }), deleteManifest, deleteBlob }
}
