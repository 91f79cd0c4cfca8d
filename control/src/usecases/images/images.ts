import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import type { OpenStreams } from '../open-streams.ts'
import { signaturePolicyVerbs } from '../registry/signature-policy.ts'
import { contentVerbs } from './image-content.ts'
import { entryVerbs } from './image-entries.ts'
import { searchVerbs } from './image-search.ts'
import { memberVerbs } from './members.ts'
import { pullVerb } from './pull-image.ts'

/** Images as OpenStack's users and Gantry's own know them: entries of the catalogue, by id. */
export function imageUseCases(deps: Deps, streams: OpenStreams): ImageVerbs {
  return {
    ...entryVerbs(deps),
    ...contentVerbs(deps, streams),
    ...memberVerbs(deps),
    ...pullVerb(deps),
    ...searchVerbs(deps),
    ...signaturePolicyVerbs(deps),
  }
}
