import { type Caller, type Container, formatImageName, parseImageName } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { resolveImage } from './images-of-project.ts'
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
  const full = image.startsWith(`${imagePrefix}/`) ? image : `${imagePrefix}/${image}`
  // Judged like any other name: nobody reaches another project's images through a registry.
  await resolveImage(tables, caller.projectId, full)
  const { repo, tag } = parseImageName(full)
  return { imageRef: formatImageName(repo, tag), registryId, sealedRegistryAuth }
}
