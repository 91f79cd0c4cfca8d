import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { privateEngineRef } from '../images-of-project.ts'
import { catalogueOf, findImage } from './catalogue.ts'
import { nameImage, soon } from './image-rows.ts'
import { newName } from './names.ts'
import type { Turns } from './turns.ts'

/** One more name for an image that the project has: always one of its own. */
export function tagVerb(deps: Deps, turns: Turns): Pick<EngineImages, 'tag'> {
  return {
    tag: (caller, text, as) =>
      turns.take(caller.projectId, async () => {
        const name = newName(as.repo, as.tag)
        const engineRef = privateEngineRef(caller.projectId, name.repo, name.tag)
        const { image } = findImage(await catalogueOf(deps.store, caller), text)
        const { imageId, hostId, size } = image
        const isSo = image.own.some(({ repo, tag }) => repo === name.repo && tag === name.tag)
        if (isSo) return
        await deps.links.calls(hostId).imageTag({ engineRef: imageId, as: engineRef }, soon())
        await nameImage(deps, caller, name, { hostId, imageId, size, engineRef })
        const { projectId } = caller
        const attributes = { name: `${name.repo}:${name.tag}` }
        deps.activity.note({ type: 'image', action: 'tag', id: imageId, projectId, attributes })
      }),
  }
}
