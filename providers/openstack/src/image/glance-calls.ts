import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Context, faultOf, type ImageService, isOpenStackError } from '@gantry/openstack'

/** Runs a call to Glance; its refusals become faults of ours. `image`: as the user knows it. */
export async function asking<T>(image: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isOpenStackError(error)) throw error
    if (error.status !== 404) throw faultOf(error)
    throw new Fault('image.not-found', { image, reason: 'the image service has none that you may see' }, error)
  }
}

/** As `asking`, but null for what is not there, or may not be seen. */
export async function askingIfAny<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (!isOpenStackError(error)) throw error
    if (error.status === 404) return null
    throw faultOf(error)
  }
}

/** It is what was wanted. */
export async function ifNotYet(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isOpenStackError(error, 409)) throw error
  }
}

export async function opened(glance: ImageService, id: string, context: Context): Promise<Readable> {
  const data = await asking(id, () => glance.download(id, context))
  if (!data) throw new Fault('image.not-found', { image: id, reason: 'it has no content yet' })
  return data.body
}
