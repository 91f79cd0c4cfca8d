import { type Caller, type Container, formatImageName, imageAt, parseImageName } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { privateEngineRef, resolveImage } from './images-of-project.ts'
import { sealedAuthFor } from './registries.ts'

export type ImageChoice = Pick<Container, 'imageRef' | 'registryId' | 'sealedRegistryAuth'>

/** What the engine will be told to run: the project's own image of that name, or one of the registry that was named. */
export async function imageOfNew(
  deps: Pick<Deps, 'secrets'>,
  tables: Tables,
  caller: Caller,
  image: string,
  registry: string | undefined,
): Promise<ImageChoice> {
  if (registry === undefined) {
    const { engineRef } = await resolveImage(tables, caller.projectId, image)
    return { imageRef: engineRef, registryId: null, sealedRegistryAuth: null }
  }
  const { registryId, sealedRegistryAuth, imagePrefix } = await sealedAuthFor(tables, deps.secrets, caller, registry)
  const full = imageAt(imagePrefix, image)
  // Judged like any other name: nobody reaches another project's images through a registry.
  await resolveImage(tables, caller.projectId, full)
  const { repo, tag } = parseImageName(full)
  if (sealedRegistryAuth === null) return { imageRef: formatImageName(repo, tag), registryId, sealedRegistryAuth }
  // What a password was needed for is kept where no other project's request can name it.
  return { imageRef: privateEngineRef(caller.projectId, repo, tag.replace(':', '-')), registryId, sealedRegistryAuth }
}
