import type { Cloud } from './cloud.ts'
import { sampleImage } from './sample-image.ts'

interface Listed {
  readonly repo?: string
  readonly tag?: string
  readonly image_id?: string | null
}

/**
 * Makes the sample image of this host's engine everybody's, as an administrator does, so that `docker run busybox` works where
 * no registry is in reach. Once for each cloud: one that is public already stays as it is.
 */
export async function publishSampleImage(admin: Cloud, host: string, signal: AbortSignal): Promise<void> {
  const { body } = await admin.container({ path: '/images' }, signal)
  const { images = [] } = (body ?? {}) as { readonly images?: readonly Listed[] }
  const isPublic = images.some((image) => `${image.repo}:${image.tag}` === sampleImage && image.image_id)
  if (isPublic) return
  const pull = { repo: sampleImage, host }
  const { status } = await admin.container({ method: 'POST', path: '/images', body: pull }, signal)
  if (status !== 202) throw new Error(`the container API answered ${status} to "publish the sample image"`)
}
