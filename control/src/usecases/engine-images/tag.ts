import type { Turns } from '@gantry/kernel'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { newName } from './names.ts'
import { findImage } from './project-images.ts'

/** One more name for an image that the project has or sees: always one of its own. */
export function tagVerb(deps: Deps, turns: Turns): Pick<EngineImages, 'tag'> {
  return {
    tag: (caller, text, as) =>
      turns.take(caller.projectId, async () => {
        const name = newName(as.repo, as.tag)
        const { image } = await findImage(deps, caller, text)
        const { imageId, digest } = image
        const isSo = image.own.some(({ repo, tag }) => repo === name.repo && tag === name.tag)
        if (isSo) return
        await deps.catalogue.nameImage(caller, name, digest)
        const { projectId } = caller
        const attributes = { name: `${name.repo}:${name.tag}` }
        deps.activity.note({ type: 'image', action: 'tag', id: imageId, projectId, attributes })
      }),
  }
}
