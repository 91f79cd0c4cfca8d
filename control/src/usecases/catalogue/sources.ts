import type { Catalogue, ImageName } from '../../catalogue.ts'
import type { UpstreamRepository } from '../../ports/upstream.ts'
import { BoundedMap } from '@gantry/kernel'
import { familiarRepo, registryOf } from '@gantry/model'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { type ReadPass, sealPass, type UpstreamPass } from './passes.ts'

/** How long a host may push with one pass. Milliseconds. */
const pushMs = 60 * 60_000

/** Sealed passes that are remembered; of a few images on each of thousands of hosts. */
const mostPasses = 10_000

/** How hosts ask for images: what they call them, and passes. */
export function sourceVerbs({
  secrets,
  clock,
  ids,
}: CatalogueDeps): Pick<Catalogue, 'readSource' | 'upstreamSource' | 'writeSource'> {
  const sealed = new BoundedMap<string, string>(mostPasses)
  /** Every container of an image on a host has the same pass, and each time it is told it again. */
  const endless = (pass: ReadPass | UpstreamPass): string => {
    const key = JSON.stringify(pass)
    const known = sealed.get(key) ?? sealPass(secrets, pass)
    sealed.set(key, known)
    return known
  }
  return {
    readSource(hostId, { digest, configDigest }) {
      const digits = (configDigest ?? digest).replace(/^.*:/, '').slice(0, 12)
      const pass = endless({ kind: 'read', hostId, digest })
      return { repository: `gantry/${digits}`, reference: digest, pass }
    },
    upstreamSource(hostId, projectId, name, sealedLogin) {
      const { domain, path } = upstreamRepository(name)
      const registry = (domain || 'docker.io').toLowerCase().replaceAll(':', '_')
      const pass = endless({ kind: 'upstream', hostId, projectId, name, sealedLogin })
      return { repository: `upstream/${registry}/${path}`, reference: name.tag, pass }
    },
    writeSource(hostId, caller) {
      const pass = sealPass(secrets, { kind: 'write', hostId, caller, until: clock.now() + pushMs })
      // A tag of its own, so that two at once do not meet in the engine.
      return { repository: 'incoming', reference: ids.uuid(), pass }
    },
  }
}

/** Where another registry has what users call so. */
export function upstreamRepository({ repo }: Pick<ImageName, 'repo'>): UpstreamRepository {
  const familiar = familiarRepo(repo)
  const domain = registryOf(familiar)
  if (domain !== '') return { domain, path: familiar.slice(domain.length + 1) }
  return { domain, path: familiar.includes('/') ? familiar : `library/${familiar}` }
}
