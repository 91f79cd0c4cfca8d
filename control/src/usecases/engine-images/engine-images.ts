import { turns } from '@gantry/kernel'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import type { OpenStreams } from '../open-streams.ts'
import { archiveVerbs } from './archives.ts'
import { buildVerb } from './build.ts'
import { commitVerb } from './commit.ts'
import { lookVerbs } from './look.ts'
import { progressOf } from './progress-lines.ts'
import { openPull } from './pulling.ts'
import { pushVerb } from './pushing.ts'
import { registryQuestions } from './registry.ts'
import { removeVerbs } from './remove.ts'
import { tagVerb } from './tag.ts'

/** Images as users of the Docker API know them, in the catalogue: hosts only make what is made of containers. */
export function engineImageUseCases(deps: Deps, streams: OpenStreams): EngineImages {
  // What gives names and takes them, one after another in each project.
  const inTurn = turns()
  return {
    ...lookVerbs(deps),
    ...registryQuestions(deps),
    async pull(caller, request, signal) {
      const open = async () => progressOf(await openPull({ deps, turns: inTurn, caller, signal }, request))
      return streams.opening(caller.projectId, open, (output) => output)
    },
    ...pushVerb(deps, streams, inTurn),
    ...tagVerb(deps, inTurn),
    ...removeVerbs(deps, inTurn),
    ...archiveVerbs(deps, streams, inTurn),
    ...commitVerb(deps, inTurn),
    ...buildVerb(deps, streams, inTurn),
  }
}
