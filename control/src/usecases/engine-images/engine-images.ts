import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import type { OpenStreams } from '../open-streams.ts'
import { buildVerb } from './build.ts'
import { commitVerb } from './commit.ts'
import { lookVerbs } from './look.ts'
import { registryVerbs } from './registry.ts'
import { removeVerbs } from './remove.ts'
import { tagVerb } from './tag.ts'
import { transferVerbs } from './transfer.ts'
import { turns } from './turns.ts'

/** Images as users of the Docker API know them: found in the project's catalogue, then asked of the host that has them. */
export function engineImageUseCases(deps: Deps, streams: OpenStreams): EngineImages {
  // What gives names and takes them, one after another in each project.
  const inTurn = turns()
  return {
    ...lookVerbs(deps),
    ...registryVerbs(deps, streams, inTurn),
    ...tagVerb(deps, inTurn),
    ...removeVerbs(deps, inTurn),
    ...transferVerbs(deps, streams, inTurn),
    ...commitVerb(deps, inTurn),
    ...buildVerb(deps, streams, inTurn),
  }
}
