import type { Catalogue, ImageName } from '../../catalogue.ts'
import type { UpstreamRepository } from '../../ports/upstream.ts'
import { familiarRepo, registryOf } from '@gantry/model'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { sealPass } from './passes.ts'

/** How long a host may push with one pass. Milliseconds. */
const pushMs = 60 * 60_000

/** How hosts ask for images: what they call them, and passes. */
export function sourceVerbs({
  secrets,
  clock,
  ids,
}: CatalogueDeps): Pick<Catalogue, 'readSource' | 'upstreamSource' | 'writeSource'> {
  return {
    readSource(hostId, { digest, configDigest }) {
      const digits = (configDigest ?? digest).replace(/^.*:/, '').slice(0, 12)
      const pass = sealPass(secrets, { kind: 'read', hostId, digest })
      return { repository: `gantry/${digits}`, reference: digest, pass }
    },
    upstreamSource(hostId, projectId, name, sealedLogin) {
      const { domain, path } = upstreamRepository(name)
      const registry = (domain || 'docker.io').toLowerCase().replaceAll(':', '_')
      const pass = sealPass(secrets, { kind: 'upstream', hostId, projectId, name, sealedLogin })
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
