import { namelessRefIn } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { findContainer } from '../find-container.ts'
import { privateEngineRef, spaceOf } from '../images-of-project.ts'
import { lineTo } from '../interact.ts'
import { nameImage } from './image-rows.ts'
import { newName } from './names.ts'
import type { Turns } from './turns.ts'

/** As long as a large container may take. Milliseconds. */
const commitMs = 30 * 60_000

/** A container as an image, whatever its state; answers when it is complete. */
export function commitVerb(deps: Deps, turns: Turns): Pick<EngineImages, 'commit'> {
  return {
    async commit(caller, ref, { repo, tag, changes, config, ...rest }) {
      const name = repo === null ? null : newName(repo, tag)
      const { projectId } = caller
      const container = await findContainer(deps.store, caller, ref)
      const calls = lineTo(deps, container)
      const { hostId } = container
      const engineRef = name
        ? privateEngineRef(projectId, name.repo, name.tag)
        : namelessRefIn(spaceOf(projectId), deps.ids.hex(6))
      const args = { id: container.id, engineRef, changes: [...changes], config: { ...config }, ...rest }
      const { reply } = await calls.commit(args, { signal: AbortSignal.timeout(commitMs) })
      const arrived = { engineRef, ...reply }
      if (hostId !== null) await turns.take(projectId, () => nameImage(deps, caller, name, { hostId, ...arrived }))
      deps.activity.ofContainer(container, 'commit', { comment: rest.comment, imageID: reply.imageId })
      return reply.imageId
    },
  }
}
