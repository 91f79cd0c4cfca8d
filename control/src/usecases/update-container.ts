import { Fault } from '@gantry/kernel'
import type { Caller, Container } from '@gantry/model'
import type { ContainerPatch, Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import { judgeOptions } from '../policy/judge-options.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { changeWish } from './change-wish.ts'
import { checkLimits } from './check-limits.ts'
import { findContainer } from './find-container.ts'
import { confirmImage, type ImageChoice, imageOfNew } from './image-of-new.ts'
import { checkName } from './names.ts'

/** Update, rename, rebuild: verbs that change the spec. */
export function specVerbs(deps: Deps): Pick<Containers, 'update' | 'rename' | 'rebuild'> {
  return {
    update: (caller, ref, patch) => update(deps, caller, ref, patch),
    async rename(caller, ref, name, { unique = false } = {}) {
      const container = await findContainer(deps.store, caller, ref)
      if (container.name === name) throw new Fault('container.name-taken', { name })
      const renamed = await update(deps, caller, ref, { name }, unique)
      deps.activity.ofContainer(renamed, 'rename', { oldName: container.name })
      return renamed
    },
    async rebuild(caller, ref, options) {
      const before = await findContainer(deps.store, caller, ref)
      const image = options.image ?? before.spec.image
      const choice = await imageOfRebuild(deps, caller, before, image)
      return changeWish(deps, caller, ref, 'rebuild', async (container, tables) => {
        await confirmImage(tables, choice, image)
        return {
          action: 'rebuild',
          task: 'container_rebuilding',
          wish: {
            generation: container.wish.generation + 1,
            power: { kind: 'running', since: null, bounce: false, graceSeconds: 10 },
            paused: false,
          },
          rest: {
            spec: { ...container.spec, image, imageDriver: options.imageDriver ?? container.spec.imageDriver },
            ...choice,
          },
        }
      })
    },
  }
}

/**
 * Credentials are read again: the registry's password may be another by now. A container whose registry was deleted keeps
 * what it has, or is made from an image that needs none.
 */
async function imageOfRebuild(deps: Deps, caller: Caller, container: Container, image: string): Promise<ImageChoice> {
  const { projectId, registryId, imageRef, imageManifest, sealedRegistryAuth, spec } = container
  const owner = { ...caller, projectId }
  const ask = { image, pullPolicy: spec.pullPolicy }
  if (registryId !== null) {
    const [kept] = await deps.store.registries.find(projectId, registryId)
    if (kept) return imageOfNew(deps, owner, { ...ask, registry: registryId })
    if (image === spec.image) return { imageRef, imageManifest, registryId, sealedRegistryAuth }
  }
  return imageOfNew(deps, owner, ask)
}

async function update(
  deps: Deps,
  caller: Caller,
  ref: string,
  patch: ContainerPatch,
  unique = false,
): Promise<Container> {
  if (patch.name !== undefined) checkName(patch.name)
  if (patch.cpu !== undefined) checkLimits({ cpu: patch.cpu })
  if (patch.options) {
    const { spec } = await findContainer(deps.store, caller, ref)
    judgeOptions(deps.rules, caller, patch.options, spec.options)
  }
  if (Object.values(patch).every((value) => value === undefined)) return findContainer(deps.store, caller, ref)
  const onlyName =
    patch.cpu === undefined &&
    patch.memory === undefined &&
    patch.autoHeal === undefined &&
    patch.restartPolicy === undefined &&
    patch.options === undefined
  return changeWish(deps, caller, ref, onlyName ? null : 'update', async (container, tables) => {
    if (unique && patch.name !== undefined && (await tables.containers.find(caller.projectId, patch.name)).length > 0) {
      throw new Fault('container.name-taken', { name: patch.name })
    }
    const spec = {
      ...container.spec,
      ...(patch.cpu === undefined ? {} : { cpu: patch.cpu }),
      ...(patch.memory === undefined ? {} : { memory: patch.memory }),
      ...(patch.autoHeal === undefined ? {} : { autoHeal: patch.autoHeal }),
      ...(patch.restartPolicy === undefined ? {} : { restartPolicy: patch.restartPolicy }),
      ...(patch.options === undefined ? {} : { options: patch.options }),
    }
    await enforceQuota(tables, container.projectId, {
      containers: 0,
      cpu: spec.cpu - container.spec.cpu,
      memory: spec.memory - container.spec.memory,
      disk: 0,
    })
    return { action: 'update', task: null, rest: { spec, ...(patch.name === undefined ? {} : { name: patch.name }) } }
  })
}
